/// Reads one JSON value from bytes with Go's rules: trailing bytes after the value are ignored.
///
/// Time is linear; a long string without escapes becomes a slice of the input.
public struct JSONParser {
    /// What to do with text that is no Unicode.
    public enum TextRule: Sendable {
        /// Invalid UTF-8 is an error; a lone `\ud800` becomes U+FFFD, as in Go.
        case strict
        /// Invalid UTF-8 becomes U+FFFD: an upstream's stray byte should not end an answer.
        case repair
    }

    private let bytes: [UInt8]
    private let end: Int
    private var position: Int
    private var tokensLeft: Int
    private let maximumDepth: Int
    private let rule: TextRule
    private var stretches: PlainStretchCursor
    /// Leaves text as its escapes spell it, even where that is no UTF-8.
    private var keepsHalves = false

    private init(
        _ bytes: ArraySlice<UInt8>, limits: JSONLimits, rule: TextRule, whole: [UInt8], stretches: PlainStretches = PlainStretches()
    ) {
        self.bytes = whole
        self.stretches = PlainStretchCursor(stretches)
        position = bytes.startIndex
        end = bytes.endIndex
        tokensLeft = limits.tokens
        maximumDepth = limits.depth
        self.rule = rule
    }

    /// - Parameter stretches: What is known of these bytes already.
    /// - Throws: ``JSONError``, never traps.
    public static func parse(
        _ bytes: [UInt8], stretches: PlainStretches = PlainStretches(), limits: JSONLimits = .standard, rule: TextRule = .strict
    ) throws(JSONError) -> JSONValue {
        var parser = JSONParser(bytes[...], limits: limits, rule: rule, whole: bytes, stretches: stretches)
        return try parser.document()
    }

    /// Parses all values that follow each other in a part of an answer, so that none is lost: usually one.
    ///
    /// - Parameter keepsHalves: Half a surrogate pair may stand there, because its other half is in another chunk: it stays, as the three bytes
    ///   that UTF-8 would have for it. ``SurrogateJoiner`` makes UTF-8 of the result.
    /// - Returns: What could be read, and what is wrong with the rest.
    static func parseAll(
        _ bytes: [UInt8], limits: JSONLimits = .standard, keepsHalves: Bool = false
    ) -> (values: [JSONValue], error: JSONError?) {
        var parser = JSONParser(bytes[...], limits: limits, rule: .repair, whole: bytes)
        parser.keepsHalves = keepsHalves
        var values: [JSONValue] = []
        do {
            repeat {
                values.append(try parser.document())
                parser.skipBlanks()
            } while parser.position < parser.end
            return (values, nil)
        } catch {
            return (values, error)
        }
    }

    /// Parses what a file holds: one value and nothing behind it.
    public static func parseFile(_ bytes: [UInt8], limits: JSONLimits = .standard) throws(JSONError) -> JSONValue {
        var parser = JSONParser(bytes[...], limits: limits, rule: .strict, whole: bytes)
        return try parser.wholeDocument()
    }

    /// How many bytes of the text were read before it stopped being JSON; nil if it is whole. For messages to people about files.
    public static func failureOffset(in bytes: [UInt8], limits: JSONLimits = .standard) -> Int? {
        var parser = JSONParser(bytes[...], limits: limits, rule: .strict, whole: bytes)
        do {
            _ = try parser.wholeDocument()
            return nil
        } catch {
            return min(parser.position, bytes.count)
        }
    }

    private mutating func document() throws(JSONError) -> JSONValue {
        skipBlanks()
        guard position < end else { throw .empty }
        return try value(depth: 0)
    }

    private mutating func wholeDocument() throws(JSONError) -> JSONValue {
        let value = try document()
        skipBlanks()
        guard position == end else { throw .invalidCharacter(bytes[position], context: "after top-level value") }
        return value
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        try count()
        guard position < end else { throw .unexpectedEnd }
        switch bytes[position] {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "{"): return .object(try object(depth: depth + 1))
        case UInt8(ascii: "["): return .array(try array(depth: depth + 1))
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        case let other: throw .invalidCharacter(other, context: "looking for beginning of value")
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONObject {
        guard depth <= maximumDepth else { throw .tooComplex("nested deeper than \(maximumDepth) levels") }
        position += 1
        var members: [JSONObject.Member] = []
        if try next(after: "looking for beginning of object key string") == UInt8(ascii: "}") {
            position += 1
            return JSONObject()
        }
        // The outermost object is one alone, and rarely has a single member.
        if depth == 1 { members.reserveCapacity(8) }
        while true {
            let opening = try next(after: "looking for beginning of object key string")
            guard opening == UInt8(ascii: "\"") else {
                throw .invalidCharacter(opening, context: "looking for beginning of object key string")
            }
            try count()
            let key = try key()
            let colon = try next(after: "after object key")
            guard colon == UInt8(ascii: ":") else { throw .invalidCharacter(colon, context: "after object key") }
            position += 1
            skipBlanks()
            members.append(JSONObject.Member(key: key, value: try value(depth: depth)))
            let separator = try next(after: "after object key:value pair")
            position += 1
            if separator == UInt8(ascii: "}") { return JSONObject(members) }
            guard separator == UInt8(ascii: ",") else { throw .invalidCharacter(separator, context: "after object key:value pair") }
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> [JSONValue] {
        guard depth <= maximumDepth else { throw .tooComplex("nested deeper than \(maximumDepth) levels") }
        position += 1
        var values: [JSONValue] = []
        if try next(after: "looking for beginning of value") == UInt8(ascii: "]") {
            position += 1
            return values
        }
        while true {
            skipBlanks()
            values.append(try value(depth: depth))
            let separator = try next(after: "after array element")
            position += 1
            if separator == UInt8(ascii: "]") { return values }
            guard separator == UInt8(ascii: ",") else { throw .invalidCharacter(separator, context: "after array element") }
        }
    }

    private mutating func count() throws(JSONError) {
        tokensLeft -= 1
        if tokensLeft < 0 { throw .tooComplex("too many values") }
    }

    private mutating func skipBlanks() {
        while position < end {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func next(after context: String) throws(JSONError) -> UInt8 {
        skipBlanks()
        guard position < end else { throw .unexpectedEnd }
        return bytes[position]
    }

    private mutating func literal(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for expected in word.description.utf8 {
            guard position < end else { throw .unexpectedEnd }
            guard bytes[position] == expected else {
                throw .invalidCharacter(
                    bytes[position], context: "in literal \(word) (expecting '\(Character(UnicodeScalar(expected)))')")
            }
            position += 1
        }
        return value
    }

    private mutating func number() throws(JSONError) -> JSONNumber {
        let start = position
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        guard position < end else { throw .unexpectedEnd }
        if bytes[position] == UInt8(ascii: "0") {
            position += 1
        } else {
            try digits(context: "in numeric literal")
        }
        if position < end, bytes[position] == UInt8(ascii: ".") {
            position += 1
            try digits(context: "after decimal point in numeric literal")
        }
        if position < end, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < end, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") { position += 1 }
            try digits(context: "in exponent of numeric literal")
        }
        return JSONNumber(text: String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func digits(context: String) throws(JSONError) {
        guard position < end else { throw .unexpectedEnd }
        guard Self.isDigit(bytes[position]) else { throw .invalidCharacter(bytes[position], context: context) }
        while position < end, Self.isDigit(bytes[position]) { position += 1 }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
}

extension JSONParser {
    /// A string as such; most keys are short and plain.
    private mutating func key() throws(JSONError) -> String {
        let run = JSONScan.plainRun(bytes, from: position + 1, to: end)
        guard run.isASCII, run.end < end, bytes[run.end] == UInt8(ascii: "\"") else { return try string().string }
        defer { position = run.end + 1 }
        return String(decoding: bytes[position + 1..<run.end], as: UTF8.self)
    }

    private mutating func string() throws(JSONError) -> JSONText {
        position += 1
        let start = position
        let plain = stretches.plainRun(bytes, from: position, to: end)
        position = plain.end
        guard position < end else { throw .unexpectedEnd }
        if bytes[position] == UInt8(ascii: "\"") {
            position += 1
            return try text(bytes[start..<position - 1], isASCII: plain.isASCII)
        }
        return try escapedString(from: start)
    }

    private mutating func escapedString(from start: Int) throws(JSONError) -> JSONText {
        var unescaped = Array(bytes[start..<position])
        while true {
            guard position < end else { throw .unexpectedEnd }
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return try text(unescaped[...], isASCII: false)
            case UInt8(ascii: "\\"):
                position += 1
                try escape(into: &unescaped)
            case 0..<0x20:
                throw .invalidCharacter(bytes[position], context: "in string literal")
            default:
                let run = JSONScan.plainRun(bytes, from: position, to: end)
                unescaped.append(contentsOf: bytes[position..<run.end])
                position = run.end
            }
        }
    }

    private mutating func escape(into output: inout [UInt8]) throws(JSONError) {
        guard position < end else { throw .unexpectedEnd }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): output.append(byte)
        case UInt8(ascii: "b"): output.append(0x08)
        case UInt8(ascii: "f"): output.append(0x0C)
        case UInt8(ascii: "n"): output.append(0x0A)
        case UInt8(ascii: "r"): output.append(0x0D)
        case UInt8(ascii: "t"): output.append(0x09)
        case UInt8(ascii: "u"):
            var scalar = UInt32(try hexadecimal())
            if scalar & 0xFC00 == 0xD800, position + 1 < end, bytes[position] == UInt8(ascii: "\\"),
                bytes[position + 1] == UInt8(ascii: "u")
            {
                let beforeSecond = position
                position += 2
                let low = UInt32(try hexadecimal())
                if low & 0xFC00 == 0xDC00 {
                    scalar = 0x10000 + (scalar & 0x3FF) << 10 + (low & 0x3FF)
                } else {
                    position = beforeSecond
                }
            }
            if keepsHalves, 0xD800...0xDFFF ~= scalar {
                output += [0xED, 0x80 | UInt8(scalar >> 6 & 0x3F), 0x80 | UInt8(scalar & 0x3F)]
                return
            }
            output.append(contentsOf: Character(UnicodeScalar(scalar) ?? "\u{FFFD}").utf8)
        default: throw .invalidCharacter(byte, context: "in string escape code")
        }
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard position < end else { throw .unexpectedEnd }
            guard let digit = Character(UnicodeScalar(bytes[position])).hexDigitValue, bytes[position] < 0x80 else {
                throw .invalidCharacter(bytes[position], context: "in \\u hexadecimal character escape")
            }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }

    private func text(_ utf8: ArraySlice<UInt8>, isASCII: Bool) throws(JSONError) -> JSONText {
        if isASCII || keepsHalves || String(validating: utf8, as: UTF8.self) != nil { return JSONText(utf8: utf8) }
        guard rule == .repair else { throw .invalidUTF8 }
        return JSONText(String(decoding: utf8, as: UTF8.self))
    }
}
