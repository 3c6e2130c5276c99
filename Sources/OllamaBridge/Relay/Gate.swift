import Synchronization

/// Something that becomes ready once; those who wait for it do not wait longer than they want to.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var nextID = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when the gate is open, or after the time given, or when the task is cancelled.
    func wait(atMost limit: Duration) async {
        let id = state.withLock { state -> Int? in
            if state.isOpen { return nil }
            state.nextID += 1
            return state.nextID
        }
        guard let id else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await withCheckedContinuation { continuation in
                    let isOpen = self.state.withLock { state in
                        if !state.isOpen { state.waiters[id] = continuation }
                        return state.isOpen
                    }
                    if isOpen { continuation.resume() }
                }
            }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
            self.state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
    }
}
