/// Dates as HTTP headers carry them, in the three forms of RFC 9110 §5.6.7.
public enum HTTPDate {
    /// Seconds since 1970; nil if the text is no such date.
    public static func parse(_ text: String) -> Int? {
        let words = text.utf8.split { $0 == 0x20 || $0 == 0x09 || $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "-") }
        switch words.count {
        case 6 where isZone(words[5]):
            // Sun, 06 Nov 1994 08:49:37 GMT
            // Sunday, 06-Nov-94 08:49:37 GMT
            return date(day: words[1], month: words[2], year: words[3], time: words[4])
        case 5:
            // Sun Nov  6 08:49:37 1994
            return date(day: words[2], month: words[1], year: words[4], time: words[3])
        default:
            return nil
        }
    }

    private typealias Word = Substring.UTF8View.SubSequence

    private static func isZone(_ word: Word) -> Bool {
        word.elementsEqual("GMT".utf8) || word.elementsEqual("UTC".utf8)
    }

    private static func date(day: Word, month: Word, year: Word, time: Word) -> Int? {
        let clock = time.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard let month = monthNumber(month), let day = number(day, upTo: 31), day >= 1, var year = number(year, upTo: 9999),
            clock.count == 3, let hour = number(clock[0], upTo: 23), let minute = number(clock[1], upTo: 59),
            let second = number(clock[2], upTo: 60)
        else { return nil }
        // Two digits: RFC 9110 wants the century that is not far in the future; 70 splits them as other clients do.
        if year < 100 { year += year < 70 ? 2000 : 1900 }
        guard year >= 1970, day <= daysIn(month: month, year: year) else { return nil }
        return daysSince1970(year: year, month: month, day: day) * 86_400 + hour * 3_600 + minute * 60 + second
    }

    private static func number(_ word: Word, upTo limit: Int) -> Int? {
        guard (1...4).contains(word.count), word.allSatisfy({ (48...57).contains($0) }) else { return nil }
        let value = word.reduce(0) { $0 * 10 + Int($1 - 48) }
        return value <= limit ? value : nil
    }

    private static func monthNumber(_ word: Word) -> Int? {
        let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        let folded = word.map(lowercased)
        return names.firstIndex { $0.utf8.elementsEqual(folded) }.map { $0 + 1 }
    }

    private static func isLeap(_ year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    private static func daysIn(month: Int, year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
        // Years are counted from March, so that the leap day comes last.
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted % 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
