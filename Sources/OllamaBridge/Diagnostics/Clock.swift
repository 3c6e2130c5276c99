import Foundation
import Synchronization
import Translate

/// The only place that asks what time it is.
enum Clock {
    static func now() -> AnswerMoment {
        var monotonic = timespec()
        var wall = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &monotonic)
        unsafe clock_gettime(CLOCK_REALTIME, &wall)
        return AnswerMoment(
            nanoseconds: Int64(monotonic.tv_sec) * 1_000_000_000 + Int64(monotonic.tv_nsec),
            seconds: Int64(wall.tv_sec), fraction: Int64(wall.tv_nsec))
    }

    /// RFC 3339 in UTC with six fraction digits, which every client's decoder takes.
    static func rfc3339(seconds: Int) -> String {
        formatted(seconds, "%Y-%m-%dT%H:%M:%S.000000Z")
    }

    private static func formatted(_ seconds: Int, _ format: String) -> String {
        var second = seconds
        var parts = unsafe tm()
        var buffer = [CChar](repeating: 0, count: 48)
        unsafe gmtime_r(&second, &parts)
        let length = unsafe strftime(&buffer, buffer.count, format, &parts)
        return String(decoding: buffer.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private static let dateField = Mutex<(second: Int, text: String)>((0, ""))

    /// The value of a `Date` header (RFC 9110 §5.6.7), formatted once a second.
    static func httpDate() -> String {
        let second = time(nil)
        return dateField.withLock { cached in
            if cached.second != second { cached = (second, formatted(second, "%a, %d %b %Y %H:%M:%S GMT")) }
            return cached.text
        }
    }
}
