/// Reads the fields of a JSON object as Ollama's decoder does: keys in any case, null as absent, and Go's complaint for a wrong type.
struct FieldReader {
    let object: JSONObject
    /// The Go struct that the complaint names.
    private let structName: String
    /// The path from the body to this object, each step with a dot behind it.
    private let path: String

    init(_ object: JSONObject, struct name: String, path: String = "") {
        self.object = object
        structName = name
        self.path = path
    }

    /// The fields of a whole body. `null` counts as an empty object.
    init(body: JSONValue, struct name: String) throws(OllamaFailure) {
        switch body {
        case .object(let object): self.init(object, struct: name)
        case .null: self.init(JSONObject(), struct: name)
        default: throw .badRequest("json: cannot unmarshal \(body.kind) into Go value of type api.\(name)")
        }
    }

    func value(_ key: StaticString, nullChangesNothing: Bool = false) -> JSONValue? {
        object.lenient(key, nullChangesNothing: nullChangesNothing)
    }

    func text(_ key: StaticString) throws(OllamaFailure) -> JSONText? {
        guard let value = value(key, nullChangesNothing: true) else { return nil }
        guard case .string(let text) = value else { throw mismatch(value, key, "string") }
        return text
    }

    func string(_ key: StaticString) throws(OllamaFailure) -> String? { try text(key)?.string }

    func bool(_ key: StaticString) throws(OllamaFailure) -> Bool? {
        guard let value = value(key) else { return nil }
        guard case .bool(let isTrue) = value else { throw mismatch(value, key, "bool") }
        return isTrue
    }

    /// A whole number, also when spelt `8192.0` or `"8192"`.
    func integer(_ key: StaticString) throws(OllamaFailure) -> Int? {
        try value(key).map { value throws(OllamaFailure) in try integer(value, key) }
    }

    /// - Parameter key: Where the value stands.
    func integer(_ value: JSONValue, _ key: StaticString) throws(OllamaFailure) -> Int {
        guard let number = LenientNumber.double(value) else { throw mismatch(value, key, "int") }
        guard let integer = LenientNumber.integer(value) else {
            throw mismatch(kind: "number \(JSONNumber(number).text)", key, "int")
        }
        return integer
    }

    func array(_ key: StaticString, of type: String) throws(OllamaFailure) -> [JSONValue]? {
        guard let value = value(key) else { return nil }
        guard case .array(let array) = value else { throw mismatch(value, key, type) }
        return array
    }

    func object(_ key: StaticString, of type: String) throws(OllamaFailure) -> JSONObject? {
        guard let value = value(key) else { return nil }
        guard case .object(let object) = value else { throw mismatch(value, key, type) }
        return object
    }

    /// Go's sentence for a value of the wrong type.
    func mismatch(_ value: JSONValue, _ key: StaticString, _ type: String) -> OllamaFailure {
        mismatch(kind: value.kind, key, type)
    }

    private func mismatch(kind: String, _ key: StaticString, _ type: String) -> OllamaFailure {
        .badRequest("json: cannot unmarshal \(kind) into Go struct field \(structName).\(path)\(key) of type \(type)")
    }
}

/// Numbers as clients really write them: whole ones as `8192.0`, either kind as a string.
enum LenientNumber {
    static func double(_ value: JSONValue) -> Double? {
        switch value {
        case .number(let number): number.double
        case .string(let text): Double(text.string).flatMap { $0.isFinite ? $0 : nil }
        default: nil
        }
    }

    /// nil also for a number with a fraction or out of range.
    static func integer(_ value: JSONValue) -> Int? {
        switch value {
        case .number(let number): number.integer
        case .string(let text): Int(text.string) ?? double(value).flatMap { Int(exactly: $0) }
        default: nil
        }
    }
}
