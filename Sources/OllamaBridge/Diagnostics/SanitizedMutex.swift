#if THREAD_SANITIZER
    import Glibc

    /// Takes the place of `Synchronization.Mutex` in builds for the thread sanitizer, and only there.
    ///
    /// On Linux that one is a futex inside a library that was built without the sanitizer, which therefore takes everything behind it for a
    /// race. It knows the system's own mutex, so what it finds with this one is real.
    ///
    /// `@unchecked Sendable`: `value` is read and written only between lock and unlock.
    @safe final class Mutex<Value>: @unchecked Sendable {
        private var value: Value
        private let lock: UnsafeMutablePointer<pthread_mutex_t>

        init(_ value: consuming sending Value) {
            unsafe lock = .allocate(capacity: 1)
            unsafe lock.initialize(to: pthread_mutex_t())
            unsafe pthread_mutex_init(lock, nil)
            self.value = value
        }

        deinit {
            unsafe pthread_mutex_destroy(lock)
            unsafe lock.deallocate()
        }

        func withLock<Result, Failure: Error>(
            _ body: (inout sending Value) throws(Failure) -> sending Result
        ) throws(Failure) -> sending Result {
            unsafe pthread_mutex_lock(lock)
            defer { unsafe pthread_mutex_unlock(lock) }
            return try body(&value)
        }
    }
#endif
