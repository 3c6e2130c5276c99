/// Things that happened, in order, for a test that waits for them instead of for time.
public final class EventLog<Event: Sendable>: Sendable {
    private struct State {
        var events: [Event] = []
        var waiters: [Int: (index: Int, continuation: CheckedContinuation<Event?, Never>)] = [:]
        var nextWaiter = 0
    }
    private let state = LockedValue(State())

    /// Nothing has happened yet.
    public init() {}

    /// All events so far.
    public var all: [Event] { state.withLock { $0.events } }

    /// How many events there were so far.
    public var count: Int { state.withLock { $0.events.count } }

    /// Notes an event and wakes whoever waits for it.
    public func append(_ event: Event) {
        let woken = state.withLock { state in
            state.events.append(event)
            let ready = state.waiters.filter { $0.value.index < state.events.count }
            for id in ready.keys { state.waiters[id] = nil }
            return ready.values.map { ($0.continuation, state.events[$0.index]) }
        }
        for (continuation, event) in woken { continuation.resume(returning: event) }
    }

    /// The event at that position, counted from 0, as soon as it has happened.
    ///
    /// - Parameter patience: How long to wait before the test is told that it never came.
    public func event(_ index: Int, patience: Duration = .seconds(20)) async throws -> Event {
        let event = await withCheckedContinuation { continuation in
            let (event, id) = state.withLock { state -> (Event?, Int) in
                if index < state.events.count { return (state.events[index], -1) }
                state.nextWaiter += 1
                state.waiters[state.nextWaiter] = (index, continuation)
                return (nil, state.nextWaiter)
            }
            guard id >= 0 else { return continuation.resume(returning: event) }
            Task {
                try? await Task.sleep(for: patience)
                self.giveUp(id)
            }
        }
        guard let event else { throw NeverHappened(index: index, soFar: count) }
        return event
    }

    private func giveUp(_ id: Int) {
        let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
        waiter?.continuation.resume(returning: nil)
    }
}

/// An event that a test waited for did not come.
public struct NeverHappened: Error {
    /// Its position, counted from 0.
    public let index: Int
    /// How many there were.
    public let soFar: Int
}
