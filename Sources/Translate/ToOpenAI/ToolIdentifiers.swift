/// Ids and names that upstreams take, made from the client's own so that the same chat gives the same bytes again: an upstream's prompt
/// cache lives on that.
enum ToolIdentifiers {
    /// - Returns: The client's id if the upstream takes it, else one derived from it.
    static func id(_ clientID: String, form: Dialect.ToolIDForm) -> String {
        switch form {
        case .openAI:
            let fits = (1...40).contains(clientID.utf8.count) && clientID.utf8.allSatisfy { isWord($0) }
            return fits ? clientID : "call_" + letters(hash([clientID]), count: 8)
        case .mistral:
            let fits =
                clientID.utf8.count == 9 && clientID.utf8.allSatisfy { isWord($0) && $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-") }
            return fits ? clientID : letters(hash([clientID]), count: 9)
        }
    }

    /// An id for a call that came without one, from where it stands and what it says.
    static func id(turn: Int, call: Int, name: String, arguments: JSONValue, form: Dialect.ToolIDForm) -> String {
        let text = String(decoding: JSONWriter.bytes(arguments), as: UTF8.self)
        let value = hash(["\(turn)", "\(call)", name, text])
        return form == .mistral ? letters(value, count: 9) : "call_" + letters(value, count: 8)
    }

    /// A function name of at most 64 letters, digits, `_` and `-`.
    static func name(_ name: String) -> String {
        let fits = (1...64).contains(name.utf8.count) && name.utf8.allSatisfy { isWord($0) }
        if fits { return name }
        let cleaned = String(decoding: name.utf8.map { isWord($0) ? $0 : UInt8(ascii: "_") }.prefix(64), as: UTF8.self)
        return cleaned.isEmpty ? "tool" : cleaned
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    static func hash(_ parts: [String]) -> UInt64 {
        var hash = PartsHash()
        for part in parts { hash.take(part) }
        return hash.value
    }

    /// Lower-case letters and digits, as Ollama's own ids have.
    private static func letters(_ value: UInt64, count: Int) -> String {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)
        var value = value
        var bytes: [UInt8] = []
        for _ in 0..<count {
            bytes.append(alphabet[Int(value % 36)])
            value /= 36
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// FNV-1a over parts, each closed by a zero byte.
struct PartsHash {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func take(_ part: String) {
        for byte in part.utf8 { mix(byte) }
        mix(0)
    }

    func and(_ part: String) -> PartsHash {
        var hash = self
        hash.take(part)
        return hash
    }

    /// Takes a number as its digits, without a String for them: the seed of a request's tool-call ids is wanted for every request.
    mutating func take(decimal number: UInt64) {
        let digits = DecimalDigits(number)
        for index in 0..<digits.count { mix(digits[index]) }
        mix(0)
    }

    private mutating func mix(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }
}

extension ToolCall {
    /// The same for the same function and arguments, whatever a client did with the id, the order of keys and the spelling of numbers.
    var fingerprint: UInt64 { ToolIdentifiers.hash([name, String(decoding: JSONWriter.bytes(arguments.canonical), as: UTF8.self)]) }
}

extension JSONValue {
    /// The same for equal values: keys in order, whole numbers without a fraction.
    fileprivate var canonical: JSONValue {
        switch self {
        case .object(let object):
            let members = object.members.map { JSONObject.Member(key: $0.key, value: $0.value.canonical) }
            return .object(JSONObject(members.sorted { $0.key < $1.key }))
        case .array(let values): return .array(values.map(\.canonical))
        case .number(let number): return number.integer.map(JSONValue.integer) ?? number.double.map { .number(JSONNumber($0)) } ?? self
        case .null, .bool, .string: return self
        }
    }
}
