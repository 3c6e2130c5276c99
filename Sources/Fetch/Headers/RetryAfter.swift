/// The `Retry-After` header: seconds or a date.
public enum RetryAfter {
    /// The shortest and longest wait, in seconds, that is passed on.
    public static let bounds = 1...3600

    /// The wait in whole seconds, at least 1 and at most 3,600; nil if the value is neither a number nor a date.
    ///
    /// - Parameter now: Seconds since 1970.
    public static func seconds(_ value: String, now: Int) -> Int? {
        let text = value.utf8.drop { $0 == 0x20 || $0 == 0x09 }.reversed().drop { $0 == 0x20 || $0 == 0x09 }
        let digits = Array(text.reversed())
        guard !digits.isEmpty else { return nil }
        if digits.allSatisfy({ (48...57).contains($0) }) {
            // More digits than an Int can hold still mean "very long".
            let stated = Int(String(decoding: digits, as: UTF8.self)) ?? .max
            return min(max(stated, bounds.lowerBound), bounds.upperBound)
        }
        guard let date = HTTPDate.parse(value) else { return nil }
        return min(max(date - now, bounds.lowerBound), bounds.upperBound)
    }
}
