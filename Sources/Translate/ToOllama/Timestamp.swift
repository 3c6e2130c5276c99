/// Writes moments as RFC 3339 in UTC with six digits, `2026-11-21T03:04:05.123456Z`: the form every client's decoder takes.
struct Timestamp: Sendable {
    /// The text of the first moment, which is there before any other is written.
    static let epoch: StaticString = "1970-01-01T00:00:00.000000Z"

    private var seconds: Int64 = 0
    private var microseconds: Int64 = 0

    /// Makes the text that stands at a place that of a moment.
    ///
    /// - Parameter start: Where ``epoch`` was put.
    mutating func write(_ moment: AnswerMoment, into bytes: inout [UInt8], at start: Int) {
        let micro = min(max(moment.fraction, 0), 999_999_999) / 1000
        let second = min(max(moment.seconds, 0), 253_402_300_799)
        guard micro != microseconds || second != seconds else { return }
        var text = bytes.mutableSpan
        if second != seconds { Self.write(seconds: second, to: &text, at: start) }
        if micro != microseconds { Self.write(micro, digits: 6, to: &text, at: start + 20) }
        seconds = second
        microseconds = micro
    }

    private static func write(seconds: Int64, to text: inout MutableSpan<UInt8>, at start: Int) {
        let (days, time) = seconds.quotientAndRemainder(dividingBy: 86400)
        let (year, month, day) = civil(fromDays: days)
        write(year, digits: 4, to: &text, at: start)
        write(month, digits: 2, to: &text, at: start + 5)
        write(day, digits: 2, to: &text, at: start + 8)
        write(time / 3600, digits: 2, to: &text, at: start + 11)
        write(time / 60 % 60, digits: 2, to: &text, at: start + 14)
        write(time % 60, digits: 2, to: &text, at: start + 17)
    }

    private static func write(_ value: Int64, digits: Int, to text: inout MutableSpan<UInt8>, at start: Int) {
        var rest = UInt64(value)
        var index = start + digits
        while index > start {
            index -= 1
            text[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }

    /// The date of a day counted from 1970-01-01. Howard Hinnant's `civil_from_days`, for days that are not negative.
    private static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, day)
    }

    /// The day of a date, counted from 1970-01-01. Hinnant's `days_from_civil`, for years from 0 on.
    static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = year / 400
        let yearOfEra = year % 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
