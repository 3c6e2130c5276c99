/// A chat or generate request after decoding: one thing for the rest of the road.
public struct InferenceRequest: Sendable {
    public var shape: AnswerShape
    /// As the client wrote it; answers echo it verbatim.
    public var model: String
    /// For generate: `system` and `prompt` as messages. Empty when there is nothing to answer.
    public var messages: [Message]
    /// Function definitions as they came, with what upstreams insist on filled in.
    public var tools: [ToolDefinition]
    /// Absent means true.
    public var stream: Bool
    public var format: AnswerFormat?
    public var options: GenerationOptions
    public var think: ThinkSetting?
    public var keepAlive: KeepAlive?
    public var logprobs: Bool
    /// 0–20; counts only with `logprobs`.
    public var topLogprobs: Int
    /// Only for generate.
    public var generate: GenerateFields?

    /// What `/api/generate` has and chat has not.
    public struct GenerateFields: Sendable {
        public var prompt: JSONText
        /// Text after the gap to fill; nil when absent or empty.
        public var suffix: JSONText?
        public var system: JSONText?
        public var template: JSONText?
        public var raw: Bool
        /// The opaque numbers of an earlier answer.
        public var context: [Int]
    }

    public init(
        shape: AnswerShape, model: String, messages: [Message] = [], tools: [ToolDefinition] = [], stream: Bool = true,
        logprobs: Bool = false, topLogprobs: Int = 0
    ) {
        self.shape = shape
        self.model = model
        self.messages = messages
        self.tools = tools
        self.stream = stream
        self.logprobs = logprobs
        self.topLogprobs = topLogprobs
        options = GenerationOptions()
    }

    public var hasPictures: Bool { messages.contains { !$0.images.isEmpty } }

    /// What the client wants done.
    public enum Work: Sendable, Equatable {
        case answer
        /// Nothing to answer: say `done_reason: "load"` without asking the upstream.
        case load
        /// The same with `keep_alive` exactly 0; tested before any capability.
        case unload
    }

    /// About what the request takes without its pictures, as JSON.
    public var textBytes: Int {
        let messages = messages.reduce(0) { sum, message in
            let calls = message.toolCalls.reduce(0) { $0 + 64 + JSONWriter.bytes($1.arguments).count }
            return sum + 64 + message.content.utf8.count + (message.thinking?.utf8.count ?? 0) + calls
        }
        return messages + JSONWriter.bytes(.array(tools.map { .object($0.json) })).count
    }

    /// Load and unload answer with a single JSON object, whatever `stream` says.
    public var work: Work {
        let isEmpty = generate.map { $0.prompt.isEmpty } ?? messages.isEmpty
        guard isEmpty else { return .answer }
        return keepAlive?.isUnload == true ? .unload : .load
    }

    /// Where the newest turn begins: after the last assistant message that has something behind it.
    ///
    /// What stands before was accepted in an earlier request, so a bad picture there becomes a notice instead of an error. An
    /// assistant message at the very end is a beginning for the model to continue, not an end of the turn.
    public var newestTurnStart: Int {
        var end = messages.endIndex
        while end > 0, messages[end - 1].role == .assistant { end -= 1 }
        return messages[..<end].lastIndex { $0.role == .assistant }.map { $0 + 1 } ?? 0
    }

    /// Makes the ids of tool calls in the answer, should the upstream give none: the same for the same request, another in the next turn.
    public var toolCallSeed: UInt64 {
        var hash = PartsHash()
        hash.take(model)
        hash.take(decimal: UInt64(messages.count))
        // Who offers no tools gets a call hardly ever, and every request would pay for reading its text.
        if tools.isEmpty { return hash.value }
        for message in messages.suffix(2) { hash.take(decimal: TrimmedHash.of(message.content.utf8)) }
        return hash.value
    }

    /// The position a client counts by; generate has no messages to count.
    public func clientPosition(ofMessage index: Int) -> Int? { shape == .chat ? index : nil }
}
