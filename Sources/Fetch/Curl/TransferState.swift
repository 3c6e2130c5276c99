/// The states of a transfer as its reader sees them. Pure: every event returns what to do, to be done after unlocking.
struct TransferState {
    /// What a reader is given.
    typealias HeadResult = Result<TransferHead, FetchError>
    typealias PieceResult = Result<[UInt8]?, FetchError>
    typealias HeadWaiter = Waiter<HeadResult>
    typealias PieceWaiter = Waiter<PieceResult>

    /// Whom to wake, and with what.
    enum Wake {
        case nobody
        case head(HeadWaiter, HeadResult)
        case reader(PieceWaiter, PieceResult)

        func perform() {
            switch self {
            case .nobody: break
            case .head(let waiter, let result): waiter.resume(result)
            case .reader(let waiter, let result): waiter.resume(result)
            }
        }
    }

    /// What a reader that comes for bytes finds.
    enum Take {
        /// Something to return at once; the engine is to go on reading from the peer if it was held.
        case ready(PieceResult, releases: Bool)
        case nothingYet
    }

    private enum Ending {
        case proper
        case failure(FetchError)
    }

    private var head: TransferHead?
    private var headWaiter: HeadWaiter?
    private var pieceWaiter: PieceWaiter?
    private var pieces = PieceQueue()
    private var ending: Ending?
    /// True from the high mark up to the low mark: the peer is not to be read from.
    private(set) var isHeld = false

    /// Nothing more will come from the peer.
    var hasEnded: Bool { ending != nil }

    /// The sender waits for the head.
    mutating func waitForHead(_ waiter: HeadWaiter) -> Wake {
        if case .failure(let error) = ending { return .head(waiter, .failure(error)) }
        headWaiter = waiter
        return .nobody
    }

    /// The final response's headers are in.
    mutating func headArrived(_ head: TransferHead) -> Wake {
        guard ending == nil, let waiter = headWaiter else { return .nobody }
        self.head = head
        headWaiter = nil
        return .head(waiter, .success(head))
    }

    /// Bytes of the body came.
    mutating func bytesArrived(_ bytes: [UInt8]) -> Wake {
        guard ending == nil else { return .nobody }
        if let waiter = pieceWaiter {
            pieceWaiter = nil
            return .reader(waiter, .success(bytes))
        }
        pieces.append(bytes)
        if pieces.byteCount >= FetchLimits.highMark { isHeld = true }
        return .nobody
    }

    /// The exchange is over: properly if `error` is nil. Bytes that came before are still handed out.
    mutating func ended(_ error: FetchError?) -> Wake {
        guard ending == nil else { return .nobody }
        ending = error.map(Ending.failure) ?? .proper
        isHeld = false
        if let waiter = headWaiter {
            headWaiter = nil
            return .head(waiter, .failure(error ?? .closedEarly(detail: "the connection ended inside the headers")))
        }
        if let waiter = pieceWaiter {
            pieceWaiter = nil
            return .reader(waiter, error.map(PieceResult.failure) ?? .success(nil))
        }
        return .nobody
    }

    /// Nobody wants the rest.
    mutating func cancelled() -> Wake {
        guard ending == nil else { return .nobody }
        pieces = PieceQueue()
        return ended(.cancelled)
    }

    /// The reader comes for bytes.
    mutating func take() -> Take {
        if let piece = pieces.popFirst() {
            guard isHeld, pieces.byteCount <= FetchLimits.lowMark else { return .ready(.success(piece), releases: false) }
            isHeld = false
            return .ready(.success(piece), releases: true)
        }
        switch ending {
        case .proper: return .ready(.success(nil), releases: false)
        case .failure(let error): return .ready(.failure(error), releases: false)
        case nil: return .nothingYet
        }
    }

    /// The reader found nothing and waits.
    mutating func waitForPiece(_ waiter: PieceWaiter) -> (wake: Wake, releases: Bool) {
        switch take() {
        case .ready(let result, let releases):
            return (.reader(waiter, result), releases)
        case .nothingYet:
            precondition(pieceWaiter == nil, "a body has one reader at a time")
            pieceWaiter = waiter
            return (.nobody, false)
        }
    }
}

/// Someone who waits for a value. Whoever holds one resumes it exactly once, by giving it up in the same step.
@safe struct Waiter<Value: Sendable>: Sendable {
    private let continuation: UnsafeContinuation<Value, Never>

    /// Waits until `start` or somebody it told has resumed the waiter.
    nonisolated(nonsending) static func wait(_ start: (Waiter) -> Void) async -> Value {
        await unsafe withUnsafeContinuation { unsafe start(Waiter(continuation: $0)) }
    }

    func resume(_ value: sending Value) {
        unsafe continuation.resume(returning: value)
    }
}

/// Status and headers of the final response.
struct TransferHead: Sendable {
    var status: Int
    var headers: FetchHeaders
    var timings: FetchTimings
}

/// Bytes in order. Small pieces are joined while they wait, so that a slow reader pays once for many events.
struct PieceQueue {
    private static let joinBelow = 16 * 1024
    private var pieces: [[UInt8]] = []
    private var first = 0
    private(set) var byteCount = 0

    mutating func append(_ bytes: [UInt8]) {
        byteCount += bytes.count
        if pieces.count > first, pieces[pieces.count - 1].count + bytes.count <= Self.joinBelow {
            pieces[pieces.count - 1] += bytes
        } else {
            pieces.append(bytes)
        }
    }

    mutating func popFirst() -> [UInt8]? {
        guard first < pieces.count else { return nil }
        var piece: [UInt8] = []
        swap(&piece, &pieces[first])
        first += 1
        byteCount -= piece.count
        if first == pieces.count {
            pieces.removeAll(keepingCapacity: true)
            first = 0
        }
        return piece
    }
}
