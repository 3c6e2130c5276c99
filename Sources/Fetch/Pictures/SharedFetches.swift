/// Lets those who want the same thing at the same time share one piece of work.
///
/// Each waits on its own: one that leaves takes nothing from the others, and the last one to leave stops the work.
final class SharedFetches<Value: Sendable, Failure: Error>: Sendable {
    typealias Outcome = Result<Value, Failure>

    private struct Running {
        var task: Task<Void, Never>?
        var waiters: [UInt64: Waiter<Outcome>] = [:]
        let number: UInt64
    }

    private struct State {
        var running: [String: Running] = [:]
        var nextID: UInt64 = 0
        /// Those who were cancelled before they began to wait.
        var leavers: Set<UInt64> = []
    }

    private let state = Guarded(State())
    private let cancelled: Failure

    /// - Parameter cancelled: What a caller gets whose task is cancelled.
    init(cancelled: Failure) {
        self.cancelled = cancelled
    }

    /// Joins the work for a key, or starts it.
    func value(for key: String, _ work: @escaping @Sendable () async -> Outcome) async -> Outcome {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        defer { state.withLock { _ = $0.leavers.remove(id) } }
        return await withTaskCancellationHandler {
            await Waiter.wait { waiter in
                let hasLeft = state.withLock { state in
                    if state.leavers.contains(id) { return true }
                    join(key, id, waiter, &state, work)
                    return false
                }
                if hasLeft { waiter.resume(.failure(cancelled)) }
            }
        } onCancel: {
            leave(key, id)
        }
    }

    private func join(
        _ key: String, _ id: UInt64, _ waiter: Waiter<Outcome>, _ state: inout State, _ work: @escaping @Sendable () async -> Outcome
    ) {
        if state.running[key] != nil {
            state.running[key]?.waiters[id] = waiter
            return
        }
        // The task belongs to all who wait and to none of them, so it is nobody's child; it ends when the last one leaves.
        let task = Task { [self] in
            finish(key, number: id, await work())
        }
        state.running[key] = Running(task: task, waiters: [id: waiter], number: id)
    }

    private func finish(_ key: String, number: UInt64, _ outcome: Outcome) {
        let waiters = state.withLock { state -> [Waiter<Outcome>] in
            guard let running = state.running[key], running.number == number else { return [] }
            state.running[key] = nil
            return Array(running.waiters.values)
        }
        for waiter in waiters { waiter.resume(outcome) }
    }

    private func leave(_ key: String, _ id: UInt64) {
        let (waiter, task) = state.withLock { state -> (Waiter<Outcome>?, Task<Void, Never>?) in
            guard let waiter = state.running[key]?.waiters.removeValue(forKey: id) else {
                state.leavers.insert(id)
                return (nil, nil)
            }
            guard let running = state.running[key], running.waiters.isEmpty else { return (waiter, nil) }
            state.running[key] = nil
            return (waiter, running.task)
        }
        task?.cancel()
        waiter?.resume(.failure(cancelled))
    }
}
