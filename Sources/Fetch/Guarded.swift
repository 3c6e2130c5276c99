import CCurl

/// A value that only one thread at a time can touch.
///
/// The same as `Synchronization.Mutex`, but on the system's own mutex: the thread sanitizer cannot see into the other one on Linux and takes
/// everything behind it for a race.
///
/// `@unchecked Sendable`: `value` is read and written only inside `withLock`, between lock and unlock.
@safe final class Guarded<Value>: @unchecked Sendable {
    private var value: Value
    private let lock: UnsafeMutablePointer<pthread_mutex_t>

    init(_ value: consuming sending Value) {
        guard let lock = unsafe fetch_lock_create() else { fatalError("out of memory") }
        unsafe self.lock = unsafe lock
        self.value = value
    }

    deinit {
        unsafe fetch_lock_free(lock)
    }

    /// Touches the value. Nothing in here may wait or call out.
    func withLock<Result>(_ body: (inout sending Value) -> sending Result) -> sending Result {
        unsafe fetch_lock(lock)
        defer { unsafe fetch_unlock(lock) }
        return body(&value)
    }
}
