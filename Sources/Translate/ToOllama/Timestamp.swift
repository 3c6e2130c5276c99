/// Writes moments as RFC 3339 in UTC with six digits, `2026-11-21T03:04:05.123456Z`: the form every client's decoder takes.
struct Timestamp: Sendable {
    /// The length of the text.
    static let length = 27

    /// The text of the latest moment.
    private(set) var text: [UInt8] = Array("1970-01-01T00:00:00.000000Z".utf8)
    private var seconds: Int64 = 0
    private var microseconds: Int64 = 0

    /// Makes ``text`` that of a moment.
    ///
    /// - Returns: Whether the text changed.
    mutating func set(_ moment: AnswerMoment) -> Bool {
        let micro = min(max(moment.fraction, 0), 999_999_999) / 1000
        let second = min(max(moment.seconds, 0), 253_402_300_799)
        guard micro != microseconds || second != seconds else { return false }
        if second != seconds {
            seconds = second
            writeSeconds()
        }
        microseconds = micro
        write(micro, digits: 6, at: 20)
        return true
    }

    private mutating func writeSeconds() {
        let (days, time) = seconds.quotientAndRemainder(dividingBy: 86400)
        let (year, month, day) = Self.civil(fromDays: days)
        write(year, digits: 4, at: 0)
        write(month, digits: 2, at: 5)
        write(day, digits: 2, at: 8)
        write(time / 3600, digits: 2, at: 11)
        write(time / 60 % 60, digits: 2, at: 14)
        write(time % 60, digits: 2, at: 17)
    }

    private mutating func write(_ value: Int64, digits: Int, at position: Int) {
        var rest = value
        for index in stride(from: position + digits - 1, through: position, by: -1) {
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
