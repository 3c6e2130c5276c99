/// What holds for all pictures fetched by URL.
public struct ImageFetchConfiguration: Sendable {
    /// Hosts and networks that may be dialled although the rules for addresses say no.
    public var allowed: AllowedHosts
    /// Addresses and ports we listen on ourselves: never dialled, whatever else is allowed.
    public var ownEndpoints: [Endpoint]
    /// Sent as `User-Agent`; names the product and nothing else.
    public var userAgent: String
    /// How many fetches run at once in the whole process; more wait their turn.
    public var fetchesAtOnce: Int
    /// The most fetches from one host at once, so that nobody uses us to flood it; 0 sets no limit of its own.
    public var fetchesPerHost: Int
    /// Name lookup, TCP and TLS of one hop.
    public var connectTimeout: Duration
    /// Everything: hops, tries, and the body.
    public var totalTimeout: Duration
    /// The largest picture in bytes.
    public var maxBytes: Int
    /// How many redirects are followed.
    public var maxRedirects: Int
    /// The most bytes the cache may hold; 0 switches it off.
    public var cacheBytes: Int
    /// A PEM file of authorities to trust in place of the system's; nil trusts the system's.
    public var certificateAuthorityFile: String?
    /// The pause before the second try.
    var retryDelay: Duration = .milliseconds(150)
    /// How names become addresses; tests put their own in.
    var resolver: any HostResolver = SystemResolver()

    /// The defaults are the documented limits.
    public init(
        allowed: AllowedHosts = AllowedHosts(),
        ownEndpoints: [Endpoint] = [],
        userAgent: String = "OllamaBridge",
        fetchesAtOnce: Int = 16,
        fetchesPerHost: Int = 4,
        connectTimeout: Duration = .seconds(5),
        totalTimeout: Duration = .seconds(30),
        maxBytes: Int = 20 * 1024 * 1024,
        maxRedirects: Int = 3,
        cacheBytes: Int = 64 * 1024 * 1024,
        certificateAuthorityFile: String? = nil
    ) {
        self.allowed = allowed
        self.ownEndpoints = ownEndpoints
        self.userAgent = userAgent
        self.fetchesAtOnce = fetchesAtOnce
        self.fetchesPerHost = fetchesPerHost
        self.connectTimeout = connectTimeout
        self.totalTimeout = totalTimeout
        self.maxBytes = maxBytes
        self.maxRedirects = maxRedirects
        self.cacheBytes = cacheBytes
        self.certificateAuthorityFile = certificateAuthorityFile
    }

    /// An address and a port.
    public struct Endpoint: Sendable, Hashable {
        /// The address; an unspecified one (`0.0.0.0`, `::`) stands for every address of its family.
        public var address: IPAddress
        /// The port.
        public var port: UInt16
        /// Puts the two together.
        public init(address: IPAddress, port: UInt16) {
            self.address = address
            self.port = port
        }
    }
}
