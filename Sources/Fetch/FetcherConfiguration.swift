/// What holds for all requests of one fetcher.
public struct FetcherConfiguration: Sendable {
    /// Sent as `User-Agent` unless a request brings its own.
    public var userAgent: String
    /// The most connections kept open without work.
    public var maxIdleConnections: Int
    /// How long a connection may rest before it is closed instead of used again. Shorter than the keep-alive time of usual servers, so that
    /// we close first.
    public var idleConnectionAge: Duration
    /// The most connections to one host; 0 sets no limit.
    public var maxConnectionsPerHost: Int
    /// Which HTTP versions may be used.
    public var versions: HTTPVersions
    /// Whether `http_proxy` and its kin in the environment count.
    public var proxy: ProxyUse

    /// The defaults suit calls to an API.
    public init(
        userAgent: String = "OllamaBridge",
        maxIdleConnections: Int = 64,
        idleConnectionAge: Duration = .seconds(30),
        maxConnectionsPerHost: Int = 0,
        versions: HTTPVersions = .http2WhenOffered,
        proxy: ProxyUse = .none
    ) {
        self.userAgent = userAgent
        self.maxIdleConnections = maxIdleConnections
        self.idleConnectionAge = idleConnectionAge
        self.maxConnectionsPerHost = maxConnectionsPerHost
        self.versions = versions
        self.proxy = proxy
    }

    /// Which HTTP versions may be used.
    public enum HTTPVersions: Sendable {
        /// HTTP/1.1 only.
        case http1
        /// HTTP/2 where a TLS peer offers it, HTTP/1.1 otherwise. Never more than one exchange at a time on a connection.
        case http2WhenOffered
    }

    /// Where a proxy may come from.
    public enum ProxyUse: Sendable {
        /// Never a proxy, whatever the environment says.
        case none
        /// As `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` say.
        case environment
    }
}
