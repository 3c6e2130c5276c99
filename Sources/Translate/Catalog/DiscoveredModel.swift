/// A model as an upstream's own `/v1/models` describes it; nil is "does not say".
public struct DiscoveredModel: Sendable, Equatable {
    public var id: String
    public var vision: Bool?
    public var tools: Bool?
    public var thinking: Bool?
    public var embedding: Bool?
    public var contextLength: Int?

    public init(id: String) { self.id = id }

    /// False for models that neither talk nor embed (speech, pictures, moderation), which such lists hold as well.
    public var isForText: Bool {
        let name = id.lowercased()
        return !Self.otherKinds.contains { name.contains($0) }
    }

    private static let otherKinds = [
        "whisper", "tts", "dall-e", "gpt-image", "moderation", "realtime", "transcribe", "sora-", "imagen", "veo-", "rerank", "aqa",
        "audio-preview",
    ]
}

extension DiscoveredModel {
    /// Reads the list in any of the shapes upstreams use (OpenAI, OpenRouter, vLLM, llama.cpp, LM Studio, Mistral, Groq).
    ///
    /// - Returns: nil when the value is no model list at all.
    public static func parse(_ json: JSONValue) -> [DiscoveredModel]? {
        guard let entries = json.object?["data"]?.array ?? json.object?["models"]?.array ?? json.array else { return nil }
        return entries.compactMap { entry in
            guard let object = entry.object, let id = object["id"]?.string ?? object["name"]?.string,
                (1...ModelName.longest).contains(id.utf8.count)
            else { return nil }
            // Gemini's list prefixes every id with its resource kind, which its chat route does not want.
            var model = DiscoveredModel(id: id.hasPrefix("models/") ? String(id.dropFirst(7)) : id)
            model.read(object)
            return model
        }
    }

    private mutating func read(_ object: JSONObject) {
        let contextKeys = ["context_length", "max_model_len", "context_window", "max_context_length", "loaded_context_length"]
        contextLength =
            contextKeys.lazy.compactMap { object[$0]?.number?.integer }.first ?? object["meta"]?.object?["n_ctx_train"]?.number?.integer
        if let length = contextLength, length <= 0 { contextLength = nil }
        readModalities(object)
        readCapabilities(object)
        switch object["type"]?.string {
        case "vlm": vision = true
        case "embeddings", "embedding": embedding = true
        default: break
        }
        if embedding == nil, id.lowercased().contains("embed") { embedding = true }
    }

    /// OpenRouter: `architecture.input_modalities` and `supported_parameters`.
    private mutating func readModalities(_ object: JSONObject) {
        let modalities = object["architecture"]?.object?["input_modalities"]?.array ?? object["input_modalities"]?.array
        if let modalities { vision = modalities.contains("image") }
        if let parameters = object["supported_parameters"]?.array {
            tools = parameters.contains("tools")
            thinking = parameters.contains("reasoning") || parameters.contains("include_reasoning")
        }
    }

    /// Mistral: an object of booleans; llama.cpp, LM Studio and Ollama: a list of words.
    private mutating func readCapabilities(_ object: JSONObject) {
        if let table = object["capabilities"]?.object {
            vision = table["vision"]?.bool ?? vision
            tools = table["function_calling"]?.bool ?? tools
        }
        if let words = object["capabilities"]?.array?.compactMap(\.string) {
            if words.contains("vision") || words.contains("multimodal") { vision = true }
            if words.contains("tools") || words.contains("tool_use") { tools = true }
            if words.contains("thinking") { thinking = true }
            if words.contains("embedding") { embedding = true }
        }
    }
}

/// One upstream's list.
struct DiscoveredModels: Sendable {
    let all: [DiscoveredModel]
    private let positions: [String: Int]

    init(_ all: [DiscoveredModel]) {
        self.all = all
        positions = Dictionary(all.enumerated().map { ($1.id, $0) }) { first, _ in first }
    }

    /// The first with this id.
    subscript(id: String) -> DiscoveredModel? { positions[id].map { all[$0] } }
}
