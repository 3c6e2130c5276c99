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
        throw .badRequest("not built yet")
    }
}
