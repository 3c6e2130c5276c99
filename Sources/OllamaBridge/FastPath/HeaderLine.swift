/// One line of a plain request's head, as far as it matters to the fast path (RFC 9112 §5).
enum HeaderLine: Equatable {
    case host(Range<Int>)
    case contentLength(Int)
    /// The bridge never looks at it.
    case indifferent
    /// The empty line behind the last field.
    case end
    case incomplete
    /// Malformed, or of a kind that changes how the request is to be read or whether it may be answered.
    case other

    /// - Parameter position: Where the line begins; afterwards where the next one does.
    static func read(_ bytes: Span<UInt8>, at position: inout Int) -> HeaderLine {
        let start = position
        while position < bytes.count, isTokenByte(bytes[position]) { position += 1 }
        guard position < bytes.count else { return .incomplete }
        let name = start..<position
        if name.isEmpty { return endOfLine(bytes, &position) ?? .end }
        guard bytes[position] == UInt8(ascii: ":") else { return .other }
        position += 1
        while position < bytes.count, isBlank(bytes[position]) { position += 1 }
        let valueStart = position
        while position < bytes.count, isValueByte(bytes[position]) { position += 1 }
        var valueEnd = position
        while valueEnd > valueStart, isBlank(bytes[valueEnd - 1]) { valueEnd -= 1 }
        return endOfLine(bytes, &position) ?? meaning(bytes, name, valueStart..<valueEnd)
    }

    /// - Returns: nil if the line ends here, properly.
    private static func endOfLine(_ bytes: Span<UInt8>, _ position: inout Int) -> HeaderLine? {
        guard position < bytes.count else { return .incomplete }
        guard bytes[position] == 0x0D else { return .other }
        guard position + 1 < bytes.count else { return .incomplete }
        guard bytes[position + 1] == 0x0A else { return .other }
        position += 2
        return nil
    }

    private static func meaning(_ bytes: Span<UInt8>, _ name: Range<Int>, _ value: Range<Int>) -> HeaderLine {
        switch name.count {
        case 4 where equal(bytes, name, "host"): .host(value)
        case 6 where equal(bytes, name, "expect") || equal(bytes, name, "origin"): .other
        case 7 where equal(bytes, name, "upgrade"): .other
        case 10 where equal(bytes, name, "connection"): equal(bytes, value, "keep-alive") ? .indifferent : .other
        case 14 where equal(bytes, name, "content-length"): digits(bytes, value).map { .contentLength($0) } ?? .other
        case 14 where equal(bytes, name, "sec-fetch-site"): .other
        case 16 where equal(bytes, name, "content-encoding"): .other
        case 17 where equal(bytes, name, "transfer-encoding"): .other
        default: .indifferent
        }
    }

    /// - Parameter text: In lower case.
    private static func equal(_ bytes: Span<UInt8>, _ range: Range<Int>, _ text: StaticString) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { text in
            for index in 0..<text.count {
                let byte = bytes[range.lowerBound + index]
                let lower = byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
                if unsafe lower != text[index] { return false }
            }
            return true
        }
    }

    /// A number of at most seven digits, which is more than the fast path takes.
    private static func digits(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        guard (1...7).contains(range.count) else { return nil }
        var number = 0
        for index in range {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            number = number * 10 + Int(digit)
        }
        return number
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    /// Visible ASCII and blanks; older servers differ on everything else.
    private static func isValueByte(_ byte: UInt8) -> Bool { byte >= 0x20 && byte < 0x7F || byte == 0x09 }

    /// RFC 9110 §5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        byte < 0x80 && tokenBytes[Int(byte >> 6)] >> UInt64(byte & 63) & 1 == 1
    }

    /// One bit a byte.
    private static let tokenBytes: [2 of UInt64] = {
        var bits: [2 of UInt64] = [0, 0]
        for byte in UInt8(0x21)..<0x7F {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: ","), UInt8(ascii: "/"),
                UInt8(ascii: ":")...UInt8(ascii: "@"),
                UInt8(ascii: "[")...UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}"):
                continue
            default: bits[Int(byte >> 6)] |= 1 << UInt64(byte & 63)
            }
        }
        return bits
    }()
}
