/// One exchange as both sides see it: the engine's thread puts in what arrives, one reader takes it out at its own pace.
final class Transfer: Sendable {
    private let engine: CurlEngine
    private let state: Guarded<TransferState>

    init(_ request: FetchRequest, engine: CurlEngine) {
        self.engine = engine
        state = Guarded(TransferState(pending: request))
    }

    // MARK: The reader's side

    /// Starts the exchange and waits for the final response's headers.
    func head() async -> TransferState.HeadResult {
        await sleep(beginning: { engine.post(.start(self)) })
        return state.withLock { $0.headResult } ?? .failure(.cancelled)
    }

    /// The next bytes; nil at the proper end.
    nonisolated(nonsending) func nextPiece() async -> TransferState.PieceResult {
        while true {
            if let result = takeReady() { return result }
            await sleep()
        }
    }

    /// Hands pieces to the sink until it wants no more or none can come.
    nonisolated(nonsending) func forward(to sink: @escaping TransferState.Sink) async {
        repeat {
            while let result = takeReady() {
                guard case .success(let piece?) = result, sink(piece) else { return }
            }
            await sleep(forwardingTo: sink)
            // If it has not, bytes came before it was in place, or the end.
        } while !state.withLock { $0.hasSinkHadEnough() }
    }

    /// What there is for a reader at once; nil if that is nothing. Has the engine go on if it was held until now.
    private func takeReady() -> TransferState.PieceResult? {
        guard case .ready(let result, let releases) = state.withLock({ $0.take() }) else { return nil }
        if releases { resume() }
        return result
    }

    /// Sleeps until something has happened; `begin` is called once it is certain to be noticed.
    private nonisolated(nonsending) func sleep(forwardingTo sink: TransferState.Sink? = nil, beginning begin: () -> Void = {}) async {
        await withTaskCancellationHandler {
            await Signal.wait { signal in
                if state.withLock({ $0.wait(signal, forwardingTo: sink) }) {
                    begin()
                } else {
                    signal.fire()
                }
            }
        } onCancel: {
            cancel()
        }
    }

    /// The same for callers that still pass their isolation along.
    func nextPiece(isolation: isolated (any Actor)?) async -> TransferState.PieceResult {
        await nextPiece()
    }

    /// Stops the exchange and closes its connection; of no effect once it is over.
    func cancel() {
        let (reader, wasRunning) = state.withLock { state in
            let wasRunning = !state.hasEnded
            return (state.cancelled(), wasRunning)
        }
        guard wasRunning else { return }
        reader?.fire()
        engine.post(.cancel(self))
    }

    /// Goes on with an exchange whose receiver had it held.
    func resume() { engine.post(.resume(self)) }

    // MARK: The engine's side

    /// The request, once; nil if the exchange was cancelled before it began.
    func takeRequest() -> FetchRequest? {
        state.withLock { state in
            let request = state.pending.take()
            return state.hasEnded ? nil : request
        }
    }

    /// Hands on what has come, and wakes the reader once for all of it. Returns true if the peer is not to be read from until `.resume` is
    /// posted.
    func arrived(_ head: FetchHead?, _ bytes: [UInt8]) -> Bool {
        if forwarded(bytes) { return false }
        let (reader, isHeld) = state.withLock { ($0.arrived(head, bytes), $0.isHeld) }
        reader?.fire()
        return isHeld
    }

    /// Hands on the last of it, and the end: properly if `error` is nil.
    func ended(_ error: FetchError?, after head: FetchHead? = nil, _ bytes: [UInt8] = []) {
        let bytes = forwarded(bytes) ? [] : bytes
        let reader = state.withLock { state in
            let reader = state.arrived(head, bytes)
            return state.ended(error) ?? reader
        }
        reader?.fire()
    }

    /// Gives bytes to the sink, if there is one.
    private func forwarded(_ bytes: [UInt8]) -> Bool {
        guard !bytes.isEmpty, let sink = state.withLock({ $0.beginForwarding() }) else { return false }
        let wantsMore = sink(bytes)
        state.withLock { $0.endForwarding(wantsMore: wantsMore) }?.fire()
        return true
    }
}
