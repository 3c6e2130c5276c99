import Fetch
import Synchronization
import Translate

/// The first attempt at an upstream, made on the fast path before it turned out that the request needs the whole one: how that attempt
/// ended is not lost, and the upstream is not asked twice.
final class HeadStart: Sendable {
    private let url: String
    private let body: UpstreamBody
    private let attempt: Mutex<Result<FetchReply, FetchError>?>

    /// - Parameters:
    ///   - url: Where it was sent.
    ///   - body: What was sent.
    ///   - attempt: How it ended. A reply that nobody takes is cancelled.
    init(url: String, body: UpstreamBody, attempt: Result<FetchReply, FetchError>) {
        self.url = url
        self.body = body
        self.attempt = Mutex(attempt)
    }

    /// How sending this went, if it has been tried; once.
    func outcome(of url: String, _ body: UpstreamBody) -> Result<FetchReply, FetchError>? {
        guard url == self.url, body == self.body else { return nil }
        return attempt.withLock { $0.take() }
    }
}
