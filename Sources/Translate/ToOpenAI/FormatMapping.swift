/// `format` as `response_format`, or as words where the upstream has no such field.
struct FormatMapping {
    let format: AnswerFormat
    let dialect: Dialect
    /// An upstream has refused schemas before.
    let schemaInPrompt: Bool

    /// The field to send; nil where only words can say it.
    var responseFormat: JSONValue? {
        switch format {
        case .schema(let schema) where dialect.jsonSchema && !schemaInPrompt:
            // Not `strict`: that demands additionalProperties false and every key required, which the schemas of Ollama's clients are not.
            ["type": "json_schema", "json_schema": ["name": .text(Self.name(schema)), "schema": .object(schema)]]
        default: dialect.jsonObject ? ["type": "json_object"] : nil
        }
    }

    /// The line to add to the system message; nil where none is needed.
    ///
    /// - Parameter mentionsJSON: Whether some message has the word: OpenAI and others refuse `json_object` without it.
    func instruction(mentionsJSON: Bool) -> String? {
        switch format {
        case .schema where dialect.jsonSchema && !schemaInPrompt: nil
        case .schema(let schema):
            "Answer with JSON that follows this JSON Schema and with nothing else:\n"
                + String(decoding: JSONWriter.bytes(.object(schema)), as: UTF8.self)
        case .json: dialect.jsonObject && mentionsJSON ? nil : "Answer with JSON and with nothing else."
        }
    }

    private static func name(_ schema: JSONObject) -> String {
        let title = schema["title"]?.string ?? ""
        return title.isEmpty ? "schema" : ToolIdentifiers.name(title)
    }
}
