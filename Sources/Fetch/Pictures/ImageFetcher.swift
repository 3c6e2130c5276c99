/// Fetches pictures from URLs that strangers chose.
///
/// Has connections of its own, apart from those to the providers: a connection opened by a trusted request must never serve one of these.
public final class ImageFetcher: Sendable {
    private let configuration: ImageFetchConfiguration
    private let policy: HopPolicy
    let fetcher: Fetcher
    private let cache: PictureCache
    private let slots: FetchSlots
    private let hostSlots: HostSlots
    private let shared = SharedFetches<FetchedImage, ImageFetchError>(cancelled: .cancelled)

    /// Starts the fetcher's own thread and pool.
    public init(configuration: ImageFetchConfiguration = ImageFetchConfiguration()) {
        self.configuration = configuration
        policy = HopPolicy(allowed: configuration.allowed, ownEndpoints: configuration.ownEndpoints)
        cache = PictureCache(limit: configuration.cacheBytes)
        slots = FetchSlots(configuration.fetchesAtOnce)
        hostSlots = HostSlots(perHost: configuration.fetchesPerHost)
        fetcher = Fetcher(
            FetcherConfiguration(
                userAgent: configuration.userAgent,
                maxIdleConnections: 16,
                proxy: .none))
    }

    /// Fetches a picture, or takes it from the cache. Concurrent calls for the same URL share one fetch.
    ///
    /// - Parameters:
    ///   - url: As the client wrote it. It is read by one parser only, and the parser's own spelling is what gets dialled.
    ///   - time: Everything: hops, tries, and the body; nil for the configuration's.
    ///   - slots: Places shared by all pictures of one request; nil for none but the process's own.
    public func fetch(_ url: String, within time: Duration? = nil, slots: FetchSlots? = nil) async throws(ImageFetchError) -> FetchedImage {
        let time = time ?? configuration.totalTimeout
        let parsed = try policy.parse(url)
        if let slots {
            guard await slots.enter() else { throw .cancelled }
        }
        defer { slots?.leave() }
        // Those with another patience wait for a fetch of their own.
        return try await shared.value(for: "\(time) \(parsed.text)") { [self] in
            await run(parsed, within: time)
        }.get()
    }

    /// How many exchanges are running right now.
    public var openTransfers: Int { fetcher.openTransfers }

    /// How many sockets are open right now, resting connections included.
    public var openConnections: Int { fetcher.openConnections }

    /// How many bytes the cache holds.
    public var cachedBytes: Int { cache.byteCount }

    /// Ends all fetches and closes all connections.
    public func shutdown() async {
        await fetcher.shutdown()
    }

    private func run(_ url: ParsedURL, within time: Duration) async -> Result<FetchedImage, ImageFetchError> {
        guard await slots.enter() else { return .failure(.cancelled) }
        defer { slots.leave() }
        var configuration = configuration
        configuration.totalTimeout = time
        var walk = ImageWalk(configuration: configuration, policy: policy, fetcher: fetcher, cache: cache, hostSlots: hostSlots)
        do throws(ImageFetchError) {
            return .success(try await walk.fetch(url))
        } catch {
            return .failure(error)
        }
    }
}
