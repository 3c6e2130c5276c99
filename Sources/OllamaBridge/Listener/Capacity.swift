import Synchronization
import Translate

/// What all requests of the bridge together may hold: bytes of bodies, and places at upstreams.
final class Capacity: Sendable {
    private let limits: ListenerLimits
    private let bodyBytes = Atomic(0)
    private let places: WeightedSemaphore
    private let occupied = Atomic(0)
    private let draining = Atomic(false)

    init(_ limits: ListenerLimits) {
        self.limits = limits
        places = WeightedSemaphore(capacity: limits.running)
    }

    /// For metrics and status.
    var counts: (bodyBytes: Int, running: Int, queued: Int) {
        (bodyBytes.load(ordering: .relaxed), occupied.load(ordering: .relaxed), places.waiting)
    }

    /// Whether the bridge is about to stop.
    var isDraining: Bool { draining.load(ordering: .relaxed) }

    func beginDraining() { draining.store(true, ordering: .relaxed) }

    fileprivate func takeBody(_ count: Int) throws(OllamaFailure) {
        let (_, held) = bodyBytes.add(count, ordering: .relaxed)
        if held > limits.bodyBytesInFlight {
            bodyBytes.subtract(count, ordering: .relaxed)
            throw .tooMuchInFlight
        }
    }

    fileprivate func returnBody(_ count: Int) { bodyBytes.subtract(count, ordering: .relaxed) }

    fileprivate func takePlace() async throws {
        do {
            try await places.acquire(1, queueLimit: limits.queue)
        } catch is WeightedSemaphore.QueueFull {
            throw OllamaFailure.serverBusy
        }
        occupied.add(1, ordering: .relaxed)
    }

    fileprivate func takePlaceAtOnce() -> Bool {
        guard places.acquireAtOnce(1) else { return false }
        occupied.add(1, ordering: .relaxed)
        return true
    }

    fileprivate var isWaitedFor: Bool { places.waiting > 0 }

    fileprivate func returnPlace() {
        occupied.subtract(1, ordering: .relaxed)
        places.release(1)
    }
}

/// What one request has taken of the ``Capacity``; gives it back once, whatever happens.
final class Lease: Sendable {
    private let capacity: Capacity
    private let held = Mutex((body: 0, hasPlace: false))

    init(_ capacity: Capacity) { self.capacity = capacity }

    deinit {
        returnBody()
        returnPlace()
    }

    /// - Throws: A 503 if bodies already hold as much as they may.
    func takeBody(_ count: Int) throws(OllamaFailure) {
        try capacity.takeBody(count)
        held.withLock { $0.body += count }
    }

    /// Waits for a place among the running requests; a second call has one already.
    ///
    /// - Throws: Ollama's 503 if too many wait, `CancellationError`.
    func takePlace() async throws {
        if held.withLock({ $0.hasPlace }) { return }
        try await capacity.takePlace()
        held.withLock { $0.hasPlace = true }
    }

    /// Takes a place if one is free and nobody waits for it.
    func takePlaceAtOnce() -> Bool {
        guard capacity.takePlaceAtOnce() else { return false }
        held.withLock { $0.hasPlace = true }
        return true
    }

    /// Whether this one has a place and others wait for one.
    var isWantedByOthers: Bool { held.withLock { $0.hasPlace } && capacity.isWaitedFor }

    func returnBody() {
        let count = held.withLock { held in
            defer { held.body = 0 }
            return held.body
        }
        if count > 0 { capacity.returnBody(count) }
    }

    /// - Returns: Whether there was one to return.
    @discardableResult
    func returnPlace() -> Bool {
        let hadPlace = held.withLock { held in
            defer { held.hasPlace = false }
            return held.hasPlace
        }
        if hadPlace { capacity.returnPlace() }
        return hadPlace
    }
}

extension OllamaFailure {
    /// Ollama's own words, which clients know.
    static let serverBusy = OllamaFailure(
        status: 503, error: "server busy, please try again.  maximum pending requests exceeded", code: "SERVER_BUSY", retryAfter: 1)

    fileprivate static let tooMuchInFlight = OllamaFailure(
        status: 503, error: "server busy, please try again.  maximum pending requests exceeded", code: "SERVER_BUSY",
        detail: "The bodies of other requests fill the memory set aside for them.", retryAfter: 1)

    /// The bridge stops before the answer is finished.
    static let shuttingDown = OllamaFailure(status: 503, error: "server is shutting down", code: "SHUTTING_DOWN", retryAfter: 1)
}
