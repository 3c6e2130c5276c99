/// What the client's `think` asks for. Absent means the model's own default and is nil wherever this type is used.
public enum ThinkSetting: Sendable, Equatable {
    case off
    case on
    case effort(Effort)

    /// The four words Ollama knows; `max` is the most a model can do.
    public enum Effort: String, Sendable {
        case low, medium, high, max
    }

    /// Everything but `false`: what needs a model that can think.
    public var isTruthy: Bool { self != .off }
}

extension ThinkSetting {
    /// Reads `true`, `false` or one of the four words.
    ///
    /// - Throws: Ollama's own sentence for another word or another type.
    static func decode(_ value: JSONValue) throws(OllamaFailure) -> ThinkSetting {
        switch value {
        case .bool(let isOn): return isOn ? .on : .off
        case .string(let text):
            if let effort = Effort(rawValue: text.string) { return .effort(effort) }
            throw .badRequest(
                "invalid think value: \(GoText.quoted(text.string)) (must be \"high\", \"medium\", \"low\", \"max\", true, or false)")
        default:
            throw .badRequest("think must be a boolean or string (\"high\", \"medium\", \"low\", \"max\", true, or false)")
        }
    }
}
