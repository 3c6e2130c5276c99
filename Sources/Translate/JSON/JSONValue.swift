/// JSON kept as it came: key order, number spelling and long strings are preserved.
public enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(JSONText)
    case array([JSONValue])
    case object(JSONObject)
}

/// A number in the spelling it came in, so that big integers and `8192.0` survive the way through.
public struct JSONNumber: Sendable, Equatable {
    public let text: String

    /// - Parameter text: A number in JSON's grammar; the parser guarantees it, other callers must.
    public init(text: String) { self.text = text }
    public init(_ value: Int) { text = String(value) }
    public init(_ value: Double) { text = value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value) }

    /// The value, if it is finite.
    public var double: Double? {
        guard let value = Double(text), value.isFinite else { return nil }
        return value
    }

    /// The value if it is integral (`8192`, `8192.0`, `1e3`) and fits.
    public var integer: Int? {
        if let value = Int(text) { return value }
        guard let value = double else { return nil }
        return Int(exactly: value)
    }
}

/// The unescaped UTF-8 bytes of a JSON string. Long strings are slices of the body they came in, so a picture's base64 is never copied.
public struct JSONText: Sendable, Equatable, ExpressibleByStringLiteral {
    public private(set) var utf8: ArraySlice<UInt8>

    /// - Parameter utf8: Valid UTF-8.
    public init(utf8: ArraySlice<UInt8>) { self.utf8 = utf8 }
    public init(_ string: String) { utf8 = ArraySlice(string.utf8) }
    public init(stringLiteral value: String) { self.init(value) }

    public var string: String { String(decoding: utf8, as: UTF8.self) }
    public var isEmpty: Bool { utf8.isEmpty }

    public static func += (text: inout JSONText, more: JSONText) { text.utf8 += more.utf8 }
}

/// The members of a JSON object in the order they came.
public struct JSONObject: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    public struct Member: Sendable, Equatable {
        public var key: String
        public var value: JSONValue

        public init(key: String, value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    public private(set) var members: [Member]

    public init(_ members: [Member] = []) { self.members = members }
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        members = elements.map { Member(key: $0.0, value: $0.1) }
    }

    /// The last member with exactly this key. Setting nil removes every member with it; setting a value replaces the last or appends.
    public subscript(key: String) -> JSONValue? {
        get { members.last { $0.key == key }?.value }
        set {
            guard let newValue else { return members.removeAll { $0.key == key } }
            if let index = members.lastIndex(where: { $0.key == key }) {
                members[index].value = newValue
            } else {
                members.append(Member(key: key, value: newValue))
            }
        }
    }

    /// The last member whose key matches in any case, nil if it is null: how Go's decoder, and so Ollama, reads objects.
    ///
    /// - Parameters:
    ///   - key: Lower-case ASCII.
    ///   - nullChangesNothing: A null leaves what an earlier member said, as it does in Go for texts.
    public func lenient(_ key: StaticString, nullChangesNothing: Bool = false) -> JSONValue? {
        var index = members.count
        while index > 0 {
            index -= 1
            // Most keys differ in length already, which is known without looking at the text.
            guard members[index].key.utf8.count == key.utf8CodeUnitCount, members[index].key.utf8.span.equals(lowercase: key) else {
                continue
            }
            if case .null = members[index].value {
                if nullChangesNothing { continue }
                return nil
            }
            return members[index].value
        }
        return nil
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(JSONText(value)) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int) { self = .number(JSONNumber(value)) }
    public init(floatLiteral value: Double) { self = .number(JSONNumber(value)) }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(JSONObject(elements.map { JSONObject.Member(key: $0.0, value: $0.1) }))
    }
}

extension JSONValue {
    public static func text(_ string: String) -> JSONValue { .string(JSONText(string)) }
    public static func integer(_ value: Int) -> JSONValue { .number(JSONNumber(value)) }

    public var object: JSONObject? { if case .object(let value) = self { value } else { nil } }
    public var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
    public var string: String? { if case .string(let value) = self { value.string } else { nil } }
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var number: JSONNumber? { if case .number(let value) = self { value } else { nil } }

    /// The kind as Go's decoder names it in its errors.
    public var kind: String {
        switch self {
        case .null: "null"
        case .bool: "bool"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}
