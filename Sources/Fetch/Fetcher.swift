/// Sends requests and streams the answers.
///
/// All transfers of one fetcher run on one thread of its own and share its pool of connections.
public final class Fetcher: Sendable {
    private let engine: CurlEngine

    /// Starts the fetcher's thread.
    public init(_ configuration: FetcherConfiguration = FetcherConfiguration()) {
        engine = CurlEngine(configuration)
    }

    deinit {
        engine.stop()
    }

    /// Sends a request and returns as soon as the final response's headers are in.
    ///
    /// Cancelling the task stops the exchange and closes its connection at once, in every phase.
    ///
    /// - Throws: `FetchError`. A status such as 404 or 503 is an answer, not an error; so is a redirect, which is never followed.
    public func send(_ request: FetchRequest) async throws(FetchError) -> FetchReply {
        let transfer = Transfer(request, engine: engine)
        switch await transfer.head() {
        case .success(let head):
            return FetchReply(status: head.status, headers: head.headers, body: FetchBody(transfer), timings: head.timings)
        case .failure(let error):
            throw error
        }
    }

    /// Has the fetcher's own thread do some work, soon and in the order of the calls; never if the fetcher has been shut down.
    ///
    /// - Parameter work: Microseconds at most: it holds up every exchange.
    public func perform(_ work: @escaping @Sendable (FetchThread) -> Void) { engine.post(.perform(work, nil)) }

    /// The same, and returns when it is done or will never be.
    public func performAndWait(_ work: @escaping @Sendable (FetchThread) -> Void) async {
        await Waiter.wait { engine.post(.perform(work, $0)) }
    }

    /// Ends every running exchange with `FetchError.shutDown`, closes all connections and waits for the thread to end.
    public func shutdown() async {
        await engine.stopAndWait()
    }

    /// How many exchanges are running right now.
    public var openTransfers: Int { engine.gauges.transfers }

    /// How many sockets are open right now, resting connections included.
    public var openConnections: Int { engine.gauges.connections }
}
