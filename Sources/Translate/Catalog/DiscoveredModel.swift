/// A model as an upstream's own `/v1/models` describes it; nil is "does not say".
public struct DiscoveredModel: Sendable, Equatable {
    public var id: String
    public var vision: Bool?
    public var tools: Bool?
    public var thinking: Bool?
    public var embedding: Bool?
    public var contextLength: Int?

    public init(id: String) { self.id = id }

    /// Reads the list in any of the shapes upstreams use (OpenAI, OpenRouter, vLLM, llama.cpp, LM Studio, Mistral, Groq).
    ///
    /// - Returns: nil when the value is no model list at all.
    public static func parse(_ json: JSONValue) -> [DiscoveredModel]? { nil }
}
