/// Steps through JSON bytes without building anything.
///
/// Accepts exactly what ``JSONParser`` accepts, and less: nil means that the general parser has to decide. A position, not a view, so that the bytes stay
/// the caller's.
struct JSONCursor {
    /// Deeper values are left to the general parser.
    static let deepest = 16

    /// A string between its quotes.
    struct Text {
        var range: Range<Int>
        var isASCII = true
        var hasEscapes = false
        /// Half a surrogate pair, which the general parser replaces.
        var hasLoneSurrogate = false
    }

    var position: Int

    init(at position: Int = 0) { self.position = position }

    /// The next byte that is no white space, without taking it.
    @inline(__always)
    mutating func peek(_ bytes: Span<UInt8>) -> UInt8? {
        while position < bytes.count {
            let byte = bytes[position]
            if byte > 0x20 { return byte }
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return nil }
            position &+= 1
        }
        return nil
    }

    /// Whether nothing but white space follows.
    @inline(__always)
    mutating func isAtEnd(_ bytes: Span<UInt8>) -> Bool { peek(bytes) == nil && position == bytes.count }

    /// Takes one byte after white space, if it is that one.
    @inline(__always)
    mutating func take(_ expected: UInt8, _ bytes: Span<UInt8>) -> Bool {
        guard peek(bytes) == expected else { return false }
        position &+= 1
        return true
    }

    /// Takes a string.
    @inline(__always)
    mutating func string(_ bytes: Span<UInt8>) -> Text? {
        guard take(UInt8(ascii: "\""), bytes) else { return nil }
        let start = position
        let run = JSONScan.plainRun(bytes, from: start)
        position = run.end
        guard position < bytes.count else { return nil }
        var text = Text(range: start..<position, isASCII: run.isASCII)
        if bytes[position] != UInt8(ascii: "\"") {
            guard escapedRest(bytes, of: &text) else { return nil }
        }
        text.range = start..<position
        position &+= 1
        return text
    }

    /// Goes on from the first escape to the closing quote.
    private mutating func escapedRest(_ bytes: Span<UInt8>, of text: inout Text) -> Bool {
        text.hasEscapes = true
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""): return true
            case UInt8(ascii: "\\"):
                guard escape(bytes, of: &text) else { return false }
            case 0..<0x20: return false
            default:
                let run = JSONScan.plainRun(bytes, from: position)
                text.isASCII = text.isASCII && run.isASCII
                position = run.end
            }
        }
        return false
    }

    private mutating func escape(_ bytes: Span<UInt8>, of text: inout Text) -> Bool {
        guard position &+ 1 < bytes.count else { return false }
        position &+= 2
        switch bytes[position &- 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"):
            return true
        case UInt8(ascii: "u"):
            guard let code = hexadecimal(bytes) else { return false }
            guard code & 0xF800 == 0xD800 else { return true }
            let second = position &+ 1
            guard code < 0xDC00, second < bytes.count, bytes[position] == UInt8(ascii: "\\"), bytes[second] == UInt8(ascii: "u") else {
                text.hasLoneSurrogate = true
                return true
            }
            position &+= 2
            guard let low = hexadecimal(bytes) else { return false }
            if low & 0xFC00 != 0xDC00 { text.hasLoneSurrogate = true }
            return true
        default: return false
        }
    }

    private mutating func hexadecimal(_ bytes: Span<UInt8>) -> UInt16? {
        guard position &+ 4 <= bytes.count else { return nil }
        var code: UInt16 = 0
        for _ in 0..<4 {
            let byte = bytes[position]
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte &- UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte &- UInt8(ascii: "a") &+ 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte &- UInt8(ascii: "A") &+ 10
            default: return nil
            }
            code = code << 4 | UInt16(digit)
            position &+= 1
        }
        return code
    }
}

extension JSONCursor {
    /// Takes `null`.
    @inline(__always)
    mutating func null(_ bytes: Span<UInt8>) -> Bool {
        guard peek(bytes) == UInt8(ascii: "n") else { return false }
        return literal("null", bytes)
    }

    /// Takes `true` or `false`.
    mutating func bool(_ bytes: Span<UInt8>) -> Bool? {
        switch peek(bytes) {
        case UInt8(ascii: "t") where literal("true", bytes): true
        case UInt8(ascii: "f") where literal("false", bytes): false
        default: nil
        }
    }

    private mutating func literal(_ word: StaticString, _ bytes: Span<UInt8>) -> Bool {
        let count = word.utf8CodeUnitCount
        guard position &+ count <= bytes.count else { return false }
        let matches = word.withUTF8Buffer { word in
            for index in 0..<count where unsafe bytes[position &+ index] != word[index] { return false }
            return true
        }
        if matches { position &+= count }
        return matches
    }

    /// Takes any value.
    mutating func skip(_ bytes: Span<UInt8>, depth: Int = 0) -> Bool {
        guard depth < Self.deepest, let first = peek(bytes) else { return false }
        switch first {
        case UInt8(ascii: "\""): return string(bytes) != nil
        case UInt8(ascii: "{"): return skipObject(bytes, depth: depth)
        case UInt8(ascii: "["): return skipArray(bytes, depth: depth)
        case UInt8(ascii: "n"): return literal("null", bytes)
        case UInt8(ascii: "t"): return literal("true", bytes)
        case UInt8(ascii: "f"): return literal("false", bytes)
        default: return skipNumber(bytes)
        }
    }

    private mutating func skipObject(_ bytes: Span<UInt8>, depth: Int) -> Bool {
        position &+= 1
        if take(UInt8(ascii: "}"), bytes) { return true }
        while true {
            guard string(bytes) != nil, take(UInt8(ascii: ":"), bytes), skip(bytes, depth: depth + 1) else { return false }
            if take(UInt8(ascii: "}"), bytes) { return true }
            guard take(UInt8(ascii: ","), bytes) else { return false }
        }
    }

    private mutating func skipArray(_ bytes: Span<UInt8>, depth: Int) -> Bool {
        position &+= 1
        if take(UInt8(ascii: "]"), bytes) { return true }
        while true {
            guard skip(bytes, depth: depth + 1) else { return false }
            if take(UInt8(ascii: "]"), bytes) { return true }
            guard take(UInt8(ascii: ","), bytes) else { return false }
        }
    }

    /// Takes a number: a minus sign, no leading zeros, at most one point and one exponent with digits after each.
    mutating func skipNumber(_ bytes: Span<UInt8>) -> Bool {
        if bytes[position] == UInt8(ascii: "-") { position &+= 1 }
        if position < bytes.count, bytes[position] == UInt8(ascii: "0") {
            position &+= 1
        } else if !skipDigits(bytes) {
            return false
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position &+= 1
            if !skipDigits(bytes) { return false }
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position &+= 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") { position &+= 1 }
            if !skipDigits(bytes) { return false }
        }
        return true
    }

    private mutating func skipDigits(_ bytes: Span<UInt8>) -> Bool {
        let start = position
        while position < bytes.count, bytes[position] &- UInt8(ascii: "0") < 10 { position &+= 1 }
        return position > start
    }
}
