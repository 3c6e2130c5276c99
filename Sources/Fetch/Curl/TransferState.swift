/// The states of a transfer as its reader sees them. Pure: every event returns whom to wake, to be done after unlocking.
struct TransferState {
    typealias HeadResult = Result<FetchHead, FetchError>
    typealias PieceResult = Result<[UInt8]?, FetchError>

    /// Takes bytes where they arrive; false once it wants no more.
    typealias Sink = @Sendable (_ piece: [UInt8]) -> Bool

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

    /// Held until the engine takes it over, so that a large body is not kept for as long as the answer streams.
    var pending: FetchRequest?
    private var head: FetchHead?
    private var waiting: Signal?
    /// Takes bytes in the place of the one who waits.
    private var sink: Sink?
    private var isForwarding = false
    private var sinkHadEnough = false
    private var pieces = PieceQueue()
    private var ending: Ending?
    /// True from the high mark up to the low mark: the peer is not to be read from.
    private(set) var isHeld = false

    init(pending: FetchRequest? = nil) { self.pending = pending }

    /// Nothing more will come from the peer.
    var hasEnded: Bool { ending != nil }

    /// What there is to say about the head; nil while it is not known.
    var headResult: HeadResult? {
        if let head { return .success(head) }
        switch ending {
        case .failure(let error): return .failure(error)
        case .proper: return .failure(.closedEarly(detail: "the connection ended inside the headers"))
        case nil: return nil
        }
    }

    /// The one who waits for the head, or for bytes, goes to sleep. False if there is no reason to.
    mutating func wait(_ signal: Signal, forwardingTo sink: Sink? = nil) -> Bool {
        precondition(waiting == nil, "a body has one reader at a time")
        guard ending == nil, pieces.isEmpty else { return false }
        waiting = signal
        self.sink = sink
        return true
    }

    /// Nobody is woken while the sink works with what belongs to whoever sleeps.
    private mutating func wake() -> Signal? {
        guard !isForwarding else { return nil }
        defer {
            waiting = nil
            sink = nil
        }
        return waiting
    }

    /// Bytes came; returns who takes them, which has to be followed by `endForwarding`.
    mutating func beginForwarding() -> Sink? {
        guard ending == nil, let sink else { return nil }
        isForwarding = true
        return sink
    }

    /// The sink has returned. What ended the exchange meanwhile has waited for it.
    mutating func endForwarding(wantsMore: Bool) -> Signal? {
        isForwarding = false
        if wantsMore, ending == nil { return nil }
        sinkHadEnough = !wantsMore
        return wake()
    }

    /// Whether the sink that was just waited for stopped by itself.
    mutating func hasSinkHadEnough() -> Bool {
        defer { sinkHadEnough = false }
        return sinkHadEnough
    }

    /// The final response's headers are in.
    mutating func headArrived(_ head: FetchHead) -> Signal? {
        guard ending == nil else { return nil }
        self.head = head
        return wake()
    }

    /// The head, bytes of the body, or both came.
    mutating func arrived(_ head: FetchHead?, _ bytes: [UInt8]) -> Signal? {
        let reader = head.flatMap { headArrived($0) }
        return bytes.isEmpty ? reader : bytesArrived(bytes) ?? reader
    }

    /// Bytes of the body came.
    mutating func bytesArrived(_ bytes: [UInt8]) -> Signal? {
        guard ending == nil else { return nil }
        pieces.append(bytes)
        if pieces.byteCount >= FetchLimits.highMark { isHeld = true }
        return wake()
    }

    /// The exchange is over: properly if `error` is nil. Bytes that came before are still handed out.
    mutating func ended(_ error: FetchError?) -> Signal? {
        guard ending == nil else { return nil }
        ending = error.map(Ending.failure) ?? .proper
        isHeld = false
        return wake()
    }

    /// Nobody wants the rest.
    mutating func cancelled() -> Signal? {
        guard ending == nil else { return nil }
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
}

/// Bytes in order. Small pieces are joined while they wait, so that a slow reader pays once for many events.
struct PieceQueue {
    private static let joinBelow = 16 * 1024
    private var pieces: [[UInt8]] = []
    private var first = 0
    private(set) var byteCount = 0

    var isEmpty: Bool { first == pieces.count }

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
