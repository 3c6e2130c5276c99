/// Which parts of an answer a provider wants back in later requests, although Ollama's messages have no place for them.
public struct EchoParts: OptionSet, Sendable {
    public let rawValue: Int

    public init(rawValue: Int) { self.rawValue = rawValue }

    /// `extra_content` of tool calls: Gemini's thought signatures.
    public static let callExtras = EchoParts(rawValue: 1)
    /// `reasoning_details`: OpenRouter's, signed or encrypted.
    public static let details = EchoParts(rawValue: 2)
    /// Reasoning before a tool call, which some clients leave out of what they send back.
    public static let thinking = EchoParts(rawValue: 4)

    /// What this upstream wants.
    public init(_ dialect: borrowing Dialect) {
        self = []
        if dialect.toolExtraContent { insert(.callExtras) }
        if dialect.reasoningDetails { insert(.details) }
        if dialect.reasoningEcho != .none { insert(.thinking) }
    }

    /// What of the answer to one request is worth keeping: without tools there will be no calls.
    public init(_ dialect: borrowing Dialect, answering request: borrowing InferenceRequest) {
        self.init(dialect)
        if request.shape == .generate { self = [] }
        if request.tools.isEmpty { subtract([.callExtras, .thinking]) }
    }
}

/// What one tool call, or one assistant message, is to have back.
public struct Remembered: Sendable, Equatable {
    /// A call's `extra_content`.
    public var extraContent: JSONValue?
    /// A message's `reasoning_details`.
    public var details: [JSONValue] = []
    /// A message's reasoning.
    public var thinking: JSONText?

    /// What it takes in memory, roughly.
    public var bytes: Int {
        let written = ([extraContent].compactMap { $0 } + details).reduce(0) { $0 + JSONWriter.bytes($1).count }
        return 128 + written + (thinking?.utf8.count ?? 0)
    }
}
