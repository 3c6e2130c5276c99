/// Wakes one task that sleeps. Whoever holds one fires it exactly once, by giving it up in the same step.
@safe struct Signal: Sendable {
    private let continuation: UnsafeContinuation<Void, Never>

    /// Sleeps until `start`, or somebody it told, has fired the signal.
    nonisolated(nonsending) static func wait(_ start: (Signal) -> Void) async {
        await unsafe withUnsafeContinuation { unsafe start(Signal(continuation: $0)) }
    }

    func fire() {
        unsafe continuation.resume()
    }
}

/// Someone who waits for a value. Whoever holds one resumes it exactly once, by giving it up in the same step.
///
/// The value goes through a lock and not through the continuation: a continuation that is resumed before its task has gone to sleep orders
/// memory in a way that the thread sanitizer does not see.
struct Waiter<Value: Sendable>: Sendable {
    private let signal: Signal
    private let box: Guarded<Value?>

    /// Waits until `start`, or somebody it told, has resumed the waiter.
    nonisolated(nonsending) static func wait(_ start: (Waiter) -> Void) async -> Value {
        let box = Guarded<Value?>(nil)
        await Signal.wait { start(Waiter(signal: $0, box: box)) }
        guard let value = box.withLock({ $0 }) else { preconditionFailure("woken without a value") }
        return value
    }

    func resume(_ value: Value) {
        box.withLock { $0 = value }
        signal.fire()
    }
}
