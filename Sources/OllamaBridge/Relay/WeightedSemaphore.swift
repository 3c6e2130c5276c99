import DequeModule
import Synchronization

/// Admits work while the sum of its weights stays within a capacity, first come first served.
final class WeightedSemaphore: Sendable {
    private struct Waiter {
        let id: UInt64
        let weight: Int
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var free: Int
        var nextID: UInt64 = 0
        var waiters: Deque<Waiter> = []
        /// Waiters cancelled before they were queued.
        var cancelledEarly: Set<UInt64> = []

        /// Nobody goes past those who wait.
        mutating func take(_ weight: Int) -> Bool {
            guard waiters.isEmpty, free >= weight else { return false }
            free -= weight
            return true
        }
    }

    private let capacity: Int
    private let state: Mutex<State>

    init(capacity: Int) {
        self.capacity = capacity
        state = Mutex(State(free: capacity))
    }

    /// How many wait right now.
    var waiting: Int { state.withLock { $0.waiters.count } }

    /// Too many wait already.
    struct QueueFull: Error {}

    /// - Parameters:
    ///   - weight: More than the capacity counts as all of it, so that the largest work runs alone instead of never.
    ///   - queueLimit: The most that may wait, this one included.
    /// - Throws: ``QueueFull``, `CancellationError`.
    func acquire(_ weight: Int, queueLimit: Int = .max) async throws {
        let weight = min(weight, capacity)
        let id = try state.withLock { state -> UInt64? in
            if state.take(weight) { return nil }
            if state.waiters.count >= queueLimit { throw QueueFull() }
            state.nextID += 1
            return state.nextID
        }
        guard let id else { return }
        // A cancellation that comes just after admission leaves its mark here.
        defer { state.withLock { _ = $0.cancelledEarly.remove(id) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let action = state.withLock { state -> Result<Void, any Error>? in
                    if state.cancelledEarly.remove(id) != nil { return .failure(CancellationError()) }
                    if state.take(weight) { return .success(()) }
                    state.waiters.append(Waiter(id: id, weight: weight, continuation: continuation))
                    return nil
                }
                if let action { continuation.resume(with: action) }
            }
        } onCancel: {
            cancel(id)
        }
    }

    /// Admits work that does not want to wait.
    func acquireAtOnce(_ weight: Int) -> Bool { state.withLock { $0.take(min(weight, capacity)) } }

    func release(_ weight: Int) {
        admit { $0.free += min(weight, capacity) }
    }

    private func cancel(_ id: UInt64) {
        var cancelled: Waiter?
        admit { state in
            if let index = state.waiters.firstIndex(where: { $0.id == id }) {
                cancelled = state.waiters.remove(at: index)
            } else {
                state.cancelledEarly.insert(id)
            }
        }
        cancelled?.continuation.resume(throwing: CancellationError())
    }

    private func admit(after change: (inout State) -> Void) {
        let admitted = state.withLock { state in
            change(&state)
            var admitted: [Waiter] = []
            while let first = state.waiters.first, state.free >= first.weight {
                state.free -= first.weight
                admitted.append(state.waiters.removeFirst())
            }
            return admitted
        }
        for waiter in admitted { waiter.continuation.resume() }
    }
}
