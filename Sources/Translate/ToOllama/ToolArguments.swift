/// Reads a tool call's arguments as the object they should be.
enum ToolArguments {
    /// Thrown when they cannot be read as an object.
    struct Unreadable: Error {}

    /// - Parameter text: The arguments as the upstream wrote them, all fragments joined.
    /// - Returns: The object; empty text, `null` and `[]` give an empty one, other values are wrapped as `value`.
    static func object(_ text: [UInt8]) throws(Unreadable) -> JSONObject {
        guard text.contains(where: { $0 > 0x20 }) else { return JSONObject() }
        if let object = restartedObject(text) { return object }
        if let value = try? JSONParser.parse(text, rule: .repair) { return try object(value, text: text) }
        guard let value = RelaxedJSON.parse(withoutFence(text)) else { throw Unreadable() }
        return try object(value, text: text)
    }

    private static func object(_ value: JSONValue, text: [UInt8]) throws(Unreadable) -> JSONObject {
        switch value {
        case .object(let object): return object
        case .null: return JSONObject()
        case .array(let values) where values.isEmpty: return JSONObject()
        case .string(let inner):
            // Encoded twice: the text of the object as a JSON string.
            let bytes = Array(inner.utf8)
            guard bytes.contains(where: { $0 > 0x20 }) else { return JSONObject() }
            if let object = (try? JSONParser.parse(bytes, rule: .repair))?.object { return object }
            guard let object = RelaxedJSON.parse(bytes)?.object else { return ["value": value] }
            return object
        case .array, .number, .bool: return ["value": value]
        }
    }

    /// Gateways in front of Anthropic's API send the empty `input` first and the true text after it: `{}{"city":"Paris"}`.
    private static func restartedObject(_ text: [UInt8]) -> JSONObject? {
        let visible = text.drop { $0 <= 0x20 }
        guard visible.starts(with: "{}".utf8) else { return nil }
        let rest = visible.dropFirst(2).drop { $0 <= 0x20 }
        guard rest.first == UInt8(ascii: "{") else { return nil }
        return (try? JSONParser.parse(Array(rest), rule: .repair))?.object
    }

    /// The text inside a Markdown fence, if there is one.
    private static func withoutFence(_ text: [UInt8]) -> [UInt8] {
        let visible = text.drop { $0 <= 0x20 }
        guard visible.starts(with: "```".utf8), let line = visible.firstIndex(of: 0x0A) else { return text }
        return Array(visible[(line + 1)...])
    }
}
