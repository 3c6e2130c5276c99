/// Reads what models write when they almost write JSON: Python's quotes and words, trailing commas, raw line breaks in strings.
///
/// Text that ends too early is not completed: a call that was cut off must not be run.
struct RelaxedJSON {
    private let bytes: [UInt8]
    private var position = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The first value in the text, or nil.
    static func parse(_ bytes: [UInt8]) -> JSONValue? {
        var parser = RelaxedJSON(bytes)
        return parser.value(depth: 0)
    }

    private mutating func skipBlanks() {
        while position < bytes.count, bytes[position] <= 0x20 { position += 1 }
    }

    private mutating func peek() -> UInt8? {
        skipBlanks()
        return position < bytes.count ? bytes[position] : nil
    }

    private mutating func value(depth: Int) -> JSONValue? {
        guard depth < 64, let first = peek() else { return nil }
        switch first {
        case UInt8(ascii: "{"): return object(depth: depth)
        case UInt8(ascii: "["): return array(depth: depth)
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return string(first).map { .string(JSONText(utf8: $0[...])) }
        default: return word()
        }
    }

    private mutating func object(depth: Int) -> JSONValue? {
        position += 1
        var members: [JSONObject.Member] = []
        while let next = peek() {
            if next == UInt8(ascii: "}") {
                position += 1
                return .object(JSONObject(members))
            }
            guard next == UInt8(ascii: "\"") || next == UInt8(ascii: "'"), let key = string(next), peek() == UInt8(ascii: ":") else {
                return nil
            }
            position += 1
            guard let value = value(depth: depth + 1) else { return nil }
            members.append(JSONObject.Member(key: String(decoding: key, as: UTF8.self), value: value))
            guard endOfElement(before: UInt8(ascii: "}")) else { return nil }
        }
        return nil
    }

    private mutating func array(depth: Int) -> JSONValue? {
        position += 1
        var values: [JSONValue] = []
        while let next = peek() {
            if next == UInt8(ascii: "]") {
                position += 1
                return .array(values)
            }
            guard let value = value(depth: depth + 1) else { return nil }
            values.append(value)
            guard endOfElement(before: UInt8(ascii: "]")) else { return nil }
        }
        return nil
    }

    private mutating func endOfElement(before closing: UInt8) -> Bool {
        guard let next = peek() else { return false }
        if next == UInt8(ascii: ",") {
            position += 1
            return true
        }
        return next == closing
    }

    private mutating func string(_ quote: UInt8) -> [UInt8]? {
        position += 1
        var text: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == quote { return Array(String(decoding: text, as: UTF8.self).utf8) }
            guard byte == UInt8(ascii: "\\") else {
                text.append(byte)
                continue
            }
            guard position < bytes.count else { return nil }
            if !escape(into: &text) { return nil }
        }
        return nil
    }

    private mutating func escape(into text: inout [UInt8]) -> Bool {
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "u"):
            guard position + 4 <= bytes.count else { return false }
            let digits = String(decoding: bytes[position..<position + 4], as: UTF8.self)
            guard let code = UInt32(digits, radix: 16) else { return false }
            position += 4
            text += Array(String(UnicodeScalar(code).map(Character.init) ?? "\u{FFFD}").utf8)
        default: text.append(byte)
        }
        return true
    }

    /// A literal or a number.
    private mutating func word() -> JSONValue? {
        let start = position
        while position < bytes.count, Self.isWordByte(bytes[position]) { position += 1 }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        switch text {
        case "true", "True": return true
        case "false", "False": return false
        case "null", "None": return .null
        default: return (try? JSONParser.parse(Array(text.utf8))).flatMap { $0.number.map(JSONValue.number) }
        }
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
