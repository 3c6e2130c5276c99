/// Reads `Retry-After`.
enum RetryAfter {
    /// The longest wait that is passed on: one hour. Clients that obey would seem dead.
    static let longest = 3600

    /// - Parameters:
    ///   - value: Seconds, or an HTTP date such as `Sat, 21 Nov 2026 03:04:05 GMT`.
    ///   - now: The wall clock in seconds since 1970.
    /// - Returns: Seconds from now; nil if the value is neither.
    static func seconds(_ value: String, now: Int64) -> Int? {
        let words = value.split { $0.isWhitespace }
        if words.count == 1, let seconds = Double(words[0]), seconds.isFinite, seconds >= 0 {
            return Int(min(seconds.rounded(.up), Double(longest)))
        }
        guard let date = date(words) else { return nil }
        return clamp(Int(clamping: date.subtractingReportingOverflow(now).partialValue))
    }

    static func clamp(_ seconds: Int) -> Int { min(max(seconds, 0), longest) }

    private static func date(_ words: [Substring]) -> Int64? {
        guard words.count == 6, words[5] == "GMT", let day = Int64(words[1]), let year = Int64(words[3]) else { return nil }
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let clock = words[4].split(separator: ":").compactMap { Int64($0) }
        guard let month = months.firstIndex(of: String(words[2])), (1...31).contains(day), (1970...9999).contains(year),
            clock.count == 3, clock.allSatisfy({ (0...60).contains($0) })
        else { return nil }
        return Timestamp.days(year: year, month: Int64(month) + 1, day: day) * 86400 + clock[0] * 3600 + clock[1] * 60 + clock[2]
    }
}
