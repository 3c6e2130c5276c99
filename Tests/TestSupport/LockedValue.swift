import Foundation

/// A value that only one thread at a time can touch, behind a lock that the thread sanitizer can see.
///
/// `@unchecked Sendable`: `value` is read and written only while the lock is held.
public final class LockedValue<Value>: @unchecked Sendable {
    private var value: Value
    private let lock = NSLock()

    /// Starts with a value.
    public init(_ value: consuming sending Value) {
        self.value = value
    }

    /// Touches the value.
    public func withLock<Result>(_ body: (inout sending Value) -> sending Result) -> sending Result {
        lock.lock()
        defer { lock.unlock() }
        return body(&value)
    }
}
