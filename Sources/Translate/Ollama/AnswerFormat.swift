/// The shape the answer's text must have.
public enum AnswerFormat: Sendable, Equatable {
    case json
    /// A JSON Schema object.
    case schema(JSONObject)
}

extension AnswerFormat {
    /// - Returns: nil for the empty string, which is unset.
    /// - Throws: Ollama's sentence, with status 400 instead of its accidental 500.
    static func decode(_ value: JSONValue) throws(OllamaFailure) -> AnswerFormat? {
        switch value {
        case "": return nil
        case "json": return .json
        case .object(let schema): return .schema(schema)
        default:
            let text = String(decoding: JSONWriter.bytes(value), as: UTF8.self)
            throw .badRequest("invalid format: \(GoText.quoted(text)); expected \"json\" or a valid JSON Schema object")
        }
    }
}
