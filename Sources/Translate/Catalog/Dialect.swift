/// How an upstream differs from the plain OpenAI API, as data. models.json may override any switch by the name given in ``Key``.
public struct Dialect: Sendable, Equatable {
    /// The preset's name.
    public var name: String
    /// What the limit on new tokens is called: newer OpenAI models refuse `max_tokens`.
    public var maxTokensField = "max_tokens"
    /// Whether `stream_options.include_usage` is understood.
    public var streamUsage = true
    /// Whether models that think take temperature, top_p and penalties; OpenAI's take only the defaults.
    public var samplingOnReasoning = true
    public var maxTemperature = 2.0
    /// Ollama options beyond OpenAI's, with the field each becomes.
    public var extensions: [String: String] = [:]
    /// What the seed is called; nil where there is none.
    public var seedField: String? = "seed"
    public var penalties = true
    /// How many stop strings are taken.
    public var maxStop = 4
    public var logprobs = true
    public var think = ThinkStyle.effort
    /// The effort word for "off"; nil sends nothing.
    public var effortOff: String? = "none"
    /// The effort word for plain "on"; nil sends nothing.
    public var effortOn: String?
    /// The effort word for Ollama's `max`.
    public var effortMax = "high"
    /// Whether `response_format` takes a JSON Schema; else the schema goes into the system prompt.
    public var jsonSchema = true
    /// Whether `response_format` takes `json_object`.
    public var jsonObject = true
    public var emptyContent = EmptyContent.null
    public var system = SystemPlacement.asGiven
    /// Whether role `developer` is known; else it becomes `system`.
    public var developerRole = false
    public var toolIDs = ToolIDForm.openAI
    public var reasoningEcho = ReasoningEcho.none
    /// Whether tool results carry `name`.
    public var toolResultNames = false
    /// Whether `/completions` exists, for raw prompts and suffixes.
    public var completions = false
    /// Whether `/completions` takes `response_format`; without it a raw prompt with a format goes to the chat endpoint.
    public var completionsFormat = false
    /// Whether user and assistant must alternate.
    public var alternatingRoles = false
    /// Whether calls and results in the history are refused when the request offers no tools.
    public var toolHistoryNeedsTools = false
    /// Whether reasoning comes as `<think>…</think>` inside the text.
    public var thinkTags = AnswerSettings.ThinkTags.none
    /// Whether `image_url.detail` is understood.
    public var imageDetail = true
    /// Whether calls carry `extra_content`, such as Gemini's thought signatures.
    public var toolExtraContent = false
    /// Whether an assistant's `reasoning_details` are wanted back with its message.
    public var reasoningDetails = false
    /// Most texts in one embeddings request.
    public var embeddingBatch = 2048
    /// Whether embeddings take `dimensions` and `encoding_format`.
    public var embeddingOptions = true

    public init(name: String) { self.name = name }

    /// How `think` is said.
    public enum ThinkStyle: String, Sendable, CaseIterable {
        /// Not at all.
        case none
        /// `reasoning_effort`.
        case effort
        /// `reasoning: {enabled, effort}`.
        case openRouter = "openrouter"
        /// `chat_template_kwargs: {enable_thinking, …}`.
        case template
        /// `thinking: {type: enabled | disabled}`.
        case toggle
        /// `enable_thinking`.
        case enableThinking = "enable_thinking"
        /// `thinking: {type, budget_tokens}`.
        case budget
    }

    /// What stands as content of an assistant message that only calls tools.
    public enum EmptyContent: String, Sendable, CaseIterable {
        case null
        case emptyString = "empty"
    }

    /// Where system messages may stand.
    public enum SystemPlacement: String, Sendable, CaseIterable {
        case asGiven = "as_given"
        /// One, at the beginning; several are joined.
        case first
    }

    /// Which tool-call ids are taken.
    public enum ToolIDForm: String, Sendable, CaseIterable {
        /// At most 40 letters, digits, `_` and `-`.
        case openAI = "openai"
        /// Exactly nine letters and digits.
        case mistral
    }

    /// The field in which an assistant's earlier reasoning is sent back.
    public enum ReasoningEcho: String, Sendable, CaseIterable {
        case none
        /// `reasoning_content`, on messages that call tools.
        case reasoningContent = "reasoning_content"
        /// `reasoning`.
        case reasoning
    }
}
