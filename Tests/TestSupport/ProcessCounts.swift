import Foundation

/// What this process holds, to see that nothing leaks.
public enum ProcessCounts {
    /// How many times slower than usual everything may be; `Scripts/sanitize` says so.
    public static let slowdown = ProcessInfo.processInfo.environment["OLLAMA_BRIDGE_SLOWDOWN"].flatMap(Double.init) ?? 1

    /// Open descriptors.
    public static var descriptors: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? 0
    }

    /// Open descriptors by what they are, such as `socket` or `anon_inode:[timerfd]`.
    public static var descriptorKinds: [String: Int] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return names.reduce(into: [:]) { kinds, name in
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)") else { return }
            kinds[target.hasPrefix("socket:") ? "socket" : target.hasPrefix("pipe:") ? "pipe" : target, default: 0] += 1
        }
    }

    /// Resident memory in bytes.
    public static var residentBytes: Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(sysconf(CInt(_SC_PAGESIZE)))
    }

    /// How long the calling thread has worked.
    public static var threadTime: Duration {
        var time = timespec()
        unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }

    /// Has the allocator give memory that nobody uses back to the system, so that what is left resident is in use.
    public static func giveBackFreeMemory() {
        // Glibc's module does not export its malloc.h.
        guard let symbol = unsafe dlsym(nil, "malloc_trim") else { return }
        _ = unsafe unsafeBitCast(symbol, to: (@convention(c) (Int) -> CInt).self)(0)
    }

    /// Has the allocator give blocks from a megabyte on back as soon as they are free. Left to itself it keeps the next ones of that size.
    public static func returnLargeBlocksAtOnce() {
        guard let symbol = unsafe dlsym(nil, "mallopt") else { return }
        let mmapThreshold: CInt = -3
        _ = unsafe unsafeBitCast(symbol, to: (@convention(c) (CInt, CInt) -> CInt).self)(mmapThreshold, 1 << 20)
    }

    /// Waits until something holds, for as long as a test has patience.
    ///
    /// - Returns: Whether it came to hold.
    public static func eventually(within patience: Duration = .seconds(10), _ condition: () -> Bool) async -> Bool {
        let end = ContinuousClock.now + patience
        while !condition() {
            if ContinuousClock.now > end { return false }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return true
    }
}
