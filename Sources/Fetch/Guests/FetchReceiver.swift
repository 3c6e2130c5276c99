/// Takes an answer where it arrives, on the fetcher's thread.
public protocol FetchReceiver: AnyObject {
    /// What has come since the last call: at first the head, alone or with bytes of the body.
    ///
    /// - Parameter bytes: Valid during the call.
    func arrived(_ head: FetchHead?, _ bytes: Span<UInt8>) -> FetchReception

    /// The last call: the exchange has ended, properly if `error` is nil.
    func ended(_ error: FetchError?)
}

/// What a receiver wants done after it took what arrived.
public enum FetchReception: Sendable {
    case goOn
    /// Nothing more is to be read from the peer until ``FetchExchange/resume()``.
    case hold
    /// The receiver is out: this call's head and bytes, and all that follows, wait for the reader of ``FetchExchange/reply(_:)``.
    case handOn
}

/// An exchange that a guest has begun.
public struct FetchExchange: Sendable {
    private let transfer: Transfer

    init(_ transfer: Transfer) { self.transfer = transfer }

    /// Stops it; of no effect once it is over. The receiver hears of it later, as of any other end.
    public func cancel() { transfer.cancel() }

    /// Goes on after ``FetchReception/hold``.
    public func resume() { transfer.resume() }

    /// The answer for a reader elsewhere, after ``FetchReception/handOn``.
    public func reply(_ head: FetchHead) -> FetchReply {
        FetchReply(status: head.status, headers: head.headers, body: FetchBody(transfer), timings: head.timings)
    }
}
