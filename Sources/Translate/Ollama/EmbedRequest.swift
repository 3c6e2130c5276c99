/// A body of `/api/embed` or of the older `/api/embeddings`.
public struct EmbedRequest: Sendable {
    public var model: String
    /// The texts to embed; empty means an empty answer without asking the upstream.
    public var inputs: [JSONText]
    /// False asks for an error when a text is too long.
    public var truncate: Bool
    /// nil keeps the model's own.
    public var dimensions: Int?
    public var keepAlive: KeepAlive?
    public var route: Route

    public enum Route: Sendable {
        /// `/api/embed`: many vectors, normalised.
        case embed
        /// `/api/embeddings`: one vector as it came.
        case embeddings
    }

    /// - Throws: Status 400 with Ollama's sentence, such as `invalid input type`.
    public static func decode(_ json: JSONValue, route: Route) throws(OllamaFailure) -> EmbedRequest {
        let fields = try FieldReader(body: json, struct: route == .embed ? "EmbedRequest" : "EmbeddingRequest")
        var request = EmbedRequest(
            model: try fields.string("model") ?? "", inputs: [], truncate: try fields.bool("truncate") ?? true, route: route)
        if let keepAlive = fields.value("keep_alive") { request.keepAlive = try KeepAlive.decode(keepAlive) }
        _ = try fields.object("options", of: "map[string]interface {}")
        switch route {
        case .embed:
            request.inputs = try inputs(fields.value("input"))
            request.dimensions = try fields.integer("dimensions").flatMap { $0 > 0 ? $0 : nil }
        case .embeddings:
            if let prompt = try fields.text("prompt"), !prompt.isEmpty { request.inputs = [prompt] }
        }
        return request
    }

    private static func inputs(_ value: JSONValue?) throws(OllamaFailure) -> [JSONText] {
        switch value {
        case nil: return []
        case .string(let text): return text.isEmpty ? [] : [text]
        case .array(let values):
            var inputs: [JSONText] = []
            for value in values {
                guard case .string(let text) = value else { throw .badRequest("invalid input type") }
                inputs.append(text)
            }
            return inputs
        default: throw .badRequest("invalid input type")
        }
    }
}
