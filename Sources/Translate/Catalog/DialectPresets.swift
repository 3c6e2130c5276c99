/// The upstreams we know, one entry each. A new upstream is a new entry, never a new branch.
extension Dialect {
    /// The preset of that name; `generic` is what nothing is known about.
    public static func preset(_ name: String) -> Dialect? { presets[name] }

    /// All names, sorted.
    public static var names: [String] { presets.keys.sorted() }

    public static let generic = preset("generic") { _ in }

    private static let presets: [String: Dialect] = Dictionary(
        uniqueKeysWithValues: [
            generic, openAI, azure, google, openRouter, anthropic, groq, mistral, deepSeek, bedrock, vllm, llamaCpp, lmStudio, ollama,
        ].map { ($0.name, $0) })

    private static func preset(_ name: String, _ change: (inout Dialect) -> Void) -> Dialect {
        var dialect = Dialect(name: name)
        change(&dialect)
        return dialect
    }

    private static let openAI = preset("openai") {
        $0.maxTokensField = "max_completion_tokens"
        $0.samplingOnReasoning = false
        $0.developerRole = true
    }

    private static let azure = preset("azure") {
        $0.maxTokensField = "max_completion_tokens"
        $0.samplingOnReasoning = false
        $0.developerRole = true
    }

    private static let google = preset("google") {
        $0.system = .first
        $0.logprobs = false
        $0.effortOn = "medium"
        $0.toolExtraContent = true
        $0.embeddingBatch = 100
    }

    private static let openRouter = preset("openrouter") {
        $0.extensions = ["top_k": "top_k", "min_p": "min_p", "repeat_penalty": "repetition_penalty"]
        $0.think = .openRouter
        $0.effortMax = "xhigh"
        $0.reasoningEcho = .reasoning
        $0.reasoningDetails = true
        $0.completions = true
    }

    /// Anthropic's OpenAI-compatible endpoint: system messages are hoisted, several OpenAI fields are ignored and so not sent.
    private static let anthropic = preset("anthropic") {
        $0.maxTemperature = 1
        $0.think = .budget
        $0.seedField = nil
        $0.penalties = false
        $0.logprobs = false
        $0.jsonSchema = false
        $0.jsonObject = false
        $0.system = .first
        $0.alternatingRoles = true
        $0.toolHistoryNeedsTools = true
        $0.imageDetail = false
    }

    private static let groq = preset("groq") {
        $0.maxTokensField = "max_completion_tokens"
        $0.logprobs = false
    }

    /// Mistral answers 422 to unknown fields.
    private static let mistral = preset("mistral") {
        $0.streamUsage = false
        $0.seedField = "random_seed"
        $0.logprobs = false
        $0.think = .none
        $0.emptyContent = .emptyString
        $0.system = .first
        $0.toolIDs = .mistral
        $0.toolResultNames = true
        $0.alternatingRoles = true
        $0.imageDetail = false
        $0.maxTemperature = 1.5
    }

    private static let deepSeek = preset("deepseek") {
        $0.seedField = nil
        $0.think = .toggle
        $0.jsonSchema = false
        $0.emptyContent = .emptyString
        $0.reasoningEcho = .reasoningContent
        $0.maxStop = 16
    }

    private static let bedrock = preset("bedrock") {
        $0.maxTemperature = 1
        $0.think = .none
        $0.system = .first
        $0.alternatingRoles = true
        $0.toolHistoryNeedsTools = true
        $0.logprobs = false
    }

    private static let vllm = preset("vllm") {
        $0.extensions = ["top_k": "top_k", "min_p": "min_p", "repeat_penalty": "repetition_penalty"]
        $0.think = .template
        $0.system = .first
        $0.reasoningEcho = .reasoning
        $0.completions = true
        $0.completionsFormat = true
        $0.maxStop = 64
    }

    private static let llamaCpp = preset("llamacpp") {
        $0.extensions = [
            "top_k": "top_k", "min_p": "min_p", "typical_p": "typical_p", "repeat_penalty": "repeat_penalty",
            "repeat_last_n": "repeat_last_n", "mirostat": "mirostat", "mirostat_tau": "mirostat_tau", "mirostat_eta": "mirostat_eta",
        ]
        $0.think = .template
        $0.system = .first
        $0.toolResultNames = true
        $0.completions = true
        $0.maxStop = 64
    }

    private static let lmStudio = preset("lmstudio") {
        $0.extensions = ["top_k": "top_k", "min_p": "min_p", "repeat_penalty": "repeat_penalty"]
        $0.think = .effort
        $0.effortOff = nil
        $0.system = .first
        $0.completions = true
        $0.thinkTags = .split
    }

    private static let ollama = preset("ollama") {
        $0.effortMax = "max"
        $0.reasoningEcho = .reasoning
        $0.completions = true
        $0.maxStop = 64
        $0.imageDetail = false
    }
}
