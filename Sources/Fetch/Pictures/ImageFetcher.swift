/// Fetches pictures from URLs that strangers chose.
///
/// Has connections of its own, apart from those to the providers: a connection opened by a trusted request must never serve one of these.
public final class ImageFetcher: Sendable {
    private let configuration: ImageFetchConfiguration

    /// Starts the fetcher's own thread and pool.
    public init(configuration: ImageFetchConfiguration = ImageFetchConfiguration()) {
        self.configuration = configuration
    }

    /// Fetches a picture, or takes it from the cache. Concurrent calls for the same URL share one fetch.
    ///
    /// - Parameter url: As the client wrote it. It is read by one parser only, and the parser's own spelling is what gets dialled.
    public func fetch(_ url: String) async throws(ImageFetchError) -> FetchedImage {
        throw .unsupportedURL
    }

    /// Ends all fetches and closes all connections.
    public func shutdown() async {}
}
