/// The failures that requests meet before any upstream is asked, with Ollama's exact texts.
extension OllamaFailure {
    static func badRequest(_ error: String, code: String? = nil, detail: String? = nil) -> OllamaFailure {
        OllamaFailure(status: 400, error: error, code: code, detail: detail)
    }

    /// No body, or only white space.
    public static let missingBody = OllamaFailure.badRequest("missing request body")
    public static let modelRequired = OllamaFailure.badRequest("model is required")
    public static let invalidModelName = OllamaFailure.badRequest("invalid model name")

    /// A body over the limit, refused before it is read.
    public static func bodyTooLarge(bytes: Int?, limit: Int) -> OllamaFailure {
        let figure = bytes.map { "\($0) bytes" } ?? "more than \(limit) bytes"
        return OllamaFailure(
            status: 413, error: "request too large: \(figure), the limit is \(limit) bytes", code: "REQUEST_TOO_LARGE")
    }

    /// As chat, generate and delete say it; `name` in the request's spelling.
    public static func modelNotFound(_ name: String) -> OllamaFailure {
        OllamaFailure(status: 404, error: "model '\(name)' not found")
    }

    /// As the embedding routes say it.
    public static func modelNotPulled(_ name: String) -> OllamaFailure {
        OllamaFailure(status: 404, error: "model \"\(name)\" not found, try pulling it first")
    }

    /// A truthy `think` for a model that cannot.
    public static func noThinking(_ name: String) -> OllamaFailure {
        .badRequest("\"\(name)\" does not support thinking", code: "UNSUPPORTED_CAPABILITY")
    }

    /// An embedding model asked to talk; `what` is `chat` or `generate`.
    public static func doesNotSupport(_ what: String, model name: String) -> OllamaFailure {
        .badRequest("\"\(name)\" does not support \(what)", code: "UNSUPPORTED_CAPABILITY")
    }

    /// Capabilities that Ollama checks on the full model name; several are joined by newlines.
    static func lacks(_ capabilities: [String], model name: String) -> OllamaFailure {
        .badRequest(
            "\(ModelName.registryName(name)) does not support \(capabilities.joined(separator: "\n"))", code: "UNSUPPORTED_CAPABILITY")
    }
}

/// The bytes of a request, whatever Content-Type the client gave them.
public enum RequestBody {
    /// Reads the one JSON value at the start of a body; what follows it is ignored, and bytes that are no UTF-8 become U+FFFD, as in Ollama:
    /// `curl` on Windows sends what its terminal's code page has for an umlaut.
    ///
    /// - Parameter stretches: What is known of these bytes already.
    public static func parse(
        _ bytes: [UInt8], stretches: PlainStretches = PlainStretches(), limits: JSONLimits = .standard
    ) throws(OllamaFailure) -> JSONValue {
        do {
            return try JSONParser.parse(bytes, stretches: stretches, limits: limits, rule: .repair)
        } catch {
            throw error == .empty ? .missingBody : .badRequest(error.message)
        }
    }
}
