/// A fixed number of places for work; whoever finds none waits in line.
public final class FetchSlots: Sendable {
    private struct State {
        var free: Int
        var line: [(id: UInt64, waiter: Waiter<Bool>)] = []
        var nextID: UInt64 = 0
        /// Those who were cancelled before they stood in line.
        var leavers: Set<UInt64> = []
    }
    private let state: Guarded<State>

    /// - Parameter count: How many places there are; at least 1.
    public init(_ count: Int) {
        state = Guarded(State(free: max(1, count)))
    }

    /// Does some work in a place of its own, and waits for one first.
    ///
    /// - Throws: `CancellationError` if the task is cancelled while it waits.
    public nonisolated(nonsending) func withSlot<Value>(_ work: nonisolated(nonsending) () async throws -> Value) async throws -> Value {
        guard await enter() else { throw CancellationError() }
        defer { leave() }
        return try await work()
    }

    /// Waits for a place. False if the task was cancelled first; then there is nothing to leave.
    nonisolated(nonsending) func enter() async -> Bool {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        // A cancellation that comes just as the place is given leaves a note that nobody would read.
        defer { state.withLock { _ = $0.leavers.remove(id) } }
        return await withTaskCancellationHandler {
            await Waiter.wait { waiter in
                let verdict: Bool? = state.withLock { state in
                    if state.leavers.remove(id) != nil { return false }
                    guard state.free > 0 else {
                        state.line.append((id, waiter))
                        return nil
                    }
                    state.free -= 1
                    return true
                }
                if let verdict { waiter.resume(verdict) }
            }
        } onCancel: {
            giveUp(id)
        }
    }

    /// Gives a place to the next in line.
    func leave() {
        let next: Waiter<Bool>? = state.withLock { state in
            guard !state.line.isEmpty else {
                state.free += 1
                return nil
            }
            return state.line.removeFirst().waiter
        }
        next?.resume(true)
    }

    private func giveUp(_ id: UInt64) {
        let waiter: Waiter<Bool>? = state.withLock { state in
            guard let index = state.line.firstIndex(where: { $0.id == id }) else {
                // Not in line yet, or already in a place.
                state.leavers.insert(id)
                return nil
            }
            return state.line.remove(at: index).waiter
        }
        waiter?.resume(false)
    }
}
