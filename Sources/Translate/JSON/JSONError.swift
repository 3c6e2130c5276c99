/// Why bytes are not the JSON we take. The texts are those of Go's encoding/json, because Ollama's clients show them.
public enum JSONError: Error, Equatable, Sendable {
    /// Nothing but white space.
    case empty
    /// The bytes end inside a value.
    case unexpectedEnd
    /// A byte that cannot stand here; `context` as Go words it (`looking for beginning of value`).
    case invalidCharacter(UInt8, context: String)
    /// A string that is not UTF-8.
    case invalidUTF8
    /// More values or deeper nesting than ``JSONLimits`` allows.
    case tooComplex(String)

    public var message: String {
        switch self {
        case .empty: "EOF"
        case .unexpectedEnd: "unexpected EOF"
        case .invalidCharacter(let byte, let context): "invalid character \(Self.quoted(byte)) \(context)"
        case .invalidUTF8: "invalid UTF-8 in JSON string"
        case .tooComplex(let what): "request too complex: \(what)"
        }
    }

    /// As Go's `strconv.Quote` shows a byte inside single quotes.
    private static func quoted(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "'"): #"'\''"#
        case UInt8(ascii: "\""): #"'"'"#
        case UInt8(ascii: "\\"): #"'\\'"#
        case 0x0A: #"'\n'"#
        case 0x0D: #"'\r'"#
        case 0x09: #"'\t'"#
        case 0x08: #"'\b'"#
        case 0x0C: #"'\f'"#
        case 0x0B: #"'\v'"#
        case 0x07: #"'\a'"#
        case 0x20..<0x7F: "'\(Character(UnicodeScalar(byte)))'"
        case 0..<0x20, 0x7F: "'\\x\(hex(byte))'"
        default: "'\(Character(UnicodeScalar(byte)))'"
        }
    }

    private static func hex(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return digits.count < 2 ? "0" + digits : digits
    }
}

/// How much structure a body may have. A body-size limit alone is no memory limit: an array of zeros costs many times its bytes.
public struct JSONLimits: Sendable, Equatable {
    /// Values and keys in the whole text; 128,000 context numbers fit twice.
    public var tokens: Int
    /// Nesting of arrays and objects. Real tool schemas stay below 30; the parser recurses, so this also bounds the stack.
    public var depth: Int

    public init(tokens: Int = 300_000, depth: Int = 256) {
        self.tokens = tokens
        self.depth = depth
    }

    public static let standard = JSONLimits()

    /// The most values that all JSON inside the strings of one text may hold: as a tree each takes some hundred bytes.
    static let mostInside = 1_000_000

    /// How many values a JSON text may hold at most.
    static func mostValues(in json: Span<UInt8>) -> Int {
        var count = 1
        for index in json.indices {
            switch json[index] {
            case UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "{"): count += 1
            default: break
            }
        }
        return count
    }
}
