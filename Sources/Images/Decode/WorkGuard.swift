internal import CCodecs

/// Watches over one picture's work: time, cancellation and sizes, in the form the C side looks at every few rows.
///
/// Lives on the heap because decoders and encoders keep its address; whoever opens one keeps the guard alive longer.
@safe final class WorkGuard {
    let limits: DecodeLimits
    private let isCancelled: () -> Bool
    private let storage: UnsafeMutablePointer<cc_guard>

    init(limits: DecodeLimits, isCancelled: @escaping () -> Bool) {
        self.limits = limits
        self.isCancelled = isCancelled
        unsafe storage = .allocate(capacity: 1)
        let allowed = limits.time.components
        let nanoseconds = min(allowed.seconds, 1_000_000) * 1_000_000_000 + allowed.attoseconds / 1_000_000_000
        unsafe storage.initialize(
            to: cc_guard(
                cpu_deadline_ns: cc_thread_cpu_ns() + nanoseconds,
                max_scans: Int32(clamping: limits.scans), max_memory: max(limits.memory, 0), max_chunk_bytes: max(limits.chunkBytes, 0),
                context: nil, should_stop: nil))
        unsafe storage.pointee.context = Unmanaged.passUnretained(self).toOpaque()
        unsafe storage.pointee.should_stop = { context in
            guard let context = unsafe context else { return 0 }
            return unsafe Unmanaged<WorkGuard>.fromOpaque(context).takeUnretainedValue().isCancelled() ? 1 : 0
        }
    }

    deinit {
        unsafe storage.deinitialize(count: 1)
        unsafe storage.deallocate()
    }

    /// The guard as the C side knows it; valid as long as this object.
    var pointer: UnsafePointer<cc_guard> { unsafe UnsafePointer(storage) }

    /// Throws if the work must stop now.
    func check() throws(ImageError) {
        try unsafe pass(cc_guard_check(storage))
    }

    /// Turns a status of the C side into nothing or an error; the only place where that is done.
    func pass(_ status: cc_status) throws(ImageError) {
        try unsafe pass(status, detail: nil)
    }

    /// - Parameter detail: A constant clause of the C side, for the statuses that have one.
    func pass(_ status: cc_status, detail: UnsafePointer<CChar>?) throws(ImageError) {
        switch status {
        case CC_OK: return
        case CC_BROKEN: throw .broken(unsafe Self.text(detail))
        case CC_UNSUPPORTED: throw .unsupportedVariant(unsafe Self.text(detail))
        case CC_TOO_MANY_SCANS: throw .tooManyScans(limit: limits.scans)
        case CC_TOO_MUCH_MEMORY: throw .tooMuchMemory(limit: limits.memory)
        case CC_TOOK_TOO_LONG: throw .tookTooLong(limit: limits.time)
        case CC_CANCELLED: throw .cancelled
        default: throw .broken("its data is damaged")
        }
    }

    private static func text(_ detail: UnsafePointer<CChar>?) -> String {
        guard let detail = unsafe detail else { return "its data is damaged" }
        return unsafe String(cString: detail)
    }
}
