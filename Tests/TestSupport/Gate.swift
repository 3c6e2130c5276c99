import Foundation

/// Holds a stub's thread back until the test lets it go on.
public final class Gate: Sendable {
    private let condition = NSCondition()
    nonisolated(unsafe) private var isOpen = false

    /// A closed gate.
    public init() {}

    /// Lets everyone through, now and later.
    public func open() {
        condition.lock()
        unsafe isOpen = true
        condition.broadcast()
        condition.unlock()
    }

    /// Blocks the calling thread until the gate is open.
    ///
    /// - Throws: `StubFailure.gateStayedShut` when a test forgot to open it.
    public func wait(patience: Double = 60) throws {
        let end = Date(timeIntervalSinceNow: patience)
        condition.lock()
        defer { condition.unlock() }
        while unsafe !isOpen {
            guard condition.wait(until: end) else { throw StubFailure.gateStayedShut }
        }
    }
}
