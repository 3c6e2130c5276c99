import NIOCore
import Synchronization

/// One client's connection: knows whether the client is still there, and stops the work done for it when it leaves.
///
/// A FIN counts as leaving, as it does for Ollama: clients that give up close, and waiting for a failed write would keep the upstream busy.
final class ClientConnection: Sendable {
    /// What the connection is doing, from the listener's point of view.
    enum Phase: Sendable {
        /// Nothing has been asked yet.
        case fresh
        /// The last request is answered.
        case idle
        case busy
    }

    private struct State {
        var phase = Phase.fresh
        var since = NIODeadline.now()
        var hasLeft = false
        var isInferring = false
        weak var lease: Lease?
        var isClosing = false
        /// The bridge stops: the answer is to end now, but the client is to hear of it.
        var isCutShort = false
        var awaitsContinue = false
        var isBodyComplete = false
        var cancel: (@Sendable () -> Void)?
        var stopAnswer: (@Sendable () -> Void)?
        var sendContinue: (@Sendable () -> Void)?
        var divertBody: (@Sendable (BodySink, Int) -> Int?)?
        var channel: (any Channel)?
        /// Closes the connection while it has no channel.
        var shut: (@Sendable () -> Void)?
        var headStart: HeadStart?
        var executor: EventLoopTaskExecutor?
    }

    /// The connection whose request the current task answers.
    @TaskLocal static var current: ClientConnection?

    private let state = Mutex(State())

    var hasLeft: Bool { state.withLock { $0.hasLeft } }
    var isCutShort: Bool { state.withLock { $0.isCutShort } }
    /// Whether the answer being written is the connection's last.
    var isClosing: Bool { state.withLock { $0.isClosing } }
    var isBodyComplete: Bool { state.withLock { $0.isBodyComplete } }
    var phase: (phase: Phase, since: NIODeadline) { state.withLock { ($0.phase, $0.since) } }

    // MARK: The channel's side

    /// - Parameters:
    ///   - sendContinue: Writes `100 Continue`.
    ///   - divertBody: Gives what is still to come of the body being read, of so many bytes, to a sink. The answer is how many bytes of it
    ///     went the usual way; nil where that cannot be done.
    func attach(
        _ channel: any Channel, sendContinue: @escaping @Sendable () -> Void, divertBody: @escaping @Sendable (BodySink, Int) -> Int?
    ) {
        state.withLock { state in
            state.channel = channel
            state.sendContinue = sendContinue
            state.divertBody = divertBody
            state.shut = nil
        }
    }

    /// - Parameter shut: Closes a connection that has no channel.
    func attach(closingBy shut: @escaping @Sendable () -> Void) { state.withLock { $0.shut = shut } }

    func requestBegan(awaitsContinue: Bool) {
        state.withLock { state in
            state.phase = .busy
            state.awaitsContinue = awaitsContinue
            state.isBodyComplete = false
        }
    }

    func bodyEnded() { state.withLock { $0.isBodyComplete = true } }

    func answerEnded(at now: NIODeadline) {
        state.withLock { state in
            state.phase = .idle
            state.since = now
        }
    }

    func left() {
        let cancel = state.withLock { state in
            state.hasLeft = true
            return state.isInferring ? state.cancel : nil
        }
        cancel?()
    }

    /// Forgets the channel, which refers to this.
    func detach() {
        state.withLock { state in
            state.channel = nil
            state.sendContinue = nil
            state.divertBody = nil
            state.shut = nil
        }
    }

    // MARK: The request's side

    /// - Parameters:
    ///   - executor: Where the connection's tasks run.
    ///   - cancel: Cancels the task that serves this connection.
    func serve(on executor: EventLoopTaskExecutor, cancel: @escaping @Sendable () -> Void) {
        state.withLock { state in
            state.executor = executor
            state.cancel = cancel
        }
    }

    /// - Parameter headStart: What has been done already for the request that comes next.
    func handOver(_ headStart: HeadStart) { state.withLock { $0.headStart = headStart } }

    func takeHeadStart() -> HeadStart? { state.withLock { $0.headStart.take() } }

    /// Runs work that ``cutShort()`` cancels without cancelling the caller, who still has to tell the client.
    func untilCutShort<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
        // A task of its own, since a part of one task cannot be cancelled; awaited right below.
        let task = Task(executorPreference: state.withLock { $0.executor }) { try await work() }
        whenCutShort { task.cancel() }
        defer { whenCutShort(nil) }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Tells a client that waits for permission (`Expect: 100-continue`) to send the body.
    func wantBody() {
        let send = state.withLock { state in
            defer { state.awaitsContinue = false }
            return state.awaitsContinue ? state.sendContinue : nil
        }
        send?()
    }

    /// Has the rest of the body collected where it comes from the parser, or from the socket.
    ///
    /// - Parameter count: Bytes of the whole body.
    /// - Returns: Where it is collected, and how many bytes come the usual way before it.
    func divertBody(of count: Int) -> (sink: BodySink, onTheirWay: Int)? {
        let divert = state.withLock { $0.divertBody }
        let sink = BodySink()
        return divert?(sink, count).map { (sink, $0) }
    }

    /// Whether requests of others wait for the place that this one's holds.
    var isInTheWay: Bool { state.withLock { $0.lease }?.isWantedByOthers ?? false }

    /// Marks the work that must stop when the client leaves. Cheap answers are finished instead: a client may half-close and still read.
    ///
    /// - Parameter lease: Where the work's place is held.
    func setInferring(_ isInferring: Bool, holding lease: Lease? = nil) {
        let cancel = state.withLock { state in
            state.isInferring = isInferring
            state.lease = lease
            return isInferring && state.hasLeft ? state.cancel : nil
        }
        cancel?()
    }

    /// - Parameter stop: Ends the work on the current answer when the bridge stops, without cancelling the task that writes it; nil when
    ///   there is none any more.
    func whenCutShort(_ stop: (@Sendable () -> Void)?) {
        let isCutShort = state.withLock { state in
            state.stopAnswer = stop
            return state.isCutShort
        }
        if isCutShort { stop?() }
    }

    // MARK: The listener's side

    /// The answer that is being written, or the next one, is the last.
    func closeAfterAnswer() { state.withLock { $0.isClosing = true } }

    func cutShort() {
        let stop = state.withLock { state in
            state.isCutShort = true
            return state.stopAnswer
        }
        stop?()
    }

    func close() {
        let (channel, shut) = state.withLock { ($0.channel, $0.shut) }
        channel?.close(mode: .all, promise: nil)
        shut?()
    }
}
