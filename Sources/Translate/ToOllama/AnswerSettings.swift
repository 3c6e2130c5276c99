/// What one answer needs to know of the request it answers.
public struct AnswerSettings: Sendable {
    /// What becomes of the model's reasoning.
    public enum Thinking: Sendable {
        /// It is shown as `thinking`.
        case pass
        /// The client said `think: false`: it is read and left out.
        case drop
    }

    /// How reasoning is told from the answer when an upstream writes both into `content`.
    public enum ThinkTags: Sendable {
        /// The upstream has a field of its own for reasoning; content is passed as it is.
        case none
        /// `<think>…</think>` at the start of the content is reasoning.
        case split
        /// As `split`, but the model's template has already written the opening tag: content begins as reasoning.
        case splitOpened
    }

    /// The route that is answered.
    public var shape: AnswerShape
    /// The model's name as the client wrote it.
    public var model: String
    /// What becomes of reasoning.
    public var thinking: Thinking = .pass
    /// Whether and how `<think>` tags are looked for.
    public var thinkTags: ThinkTags = .none
    /// Whether lines carry `logprobs`.
    public var logprobs = false
    /// How many alternatives the client asked for per token; at 0 the key `top_logprobs` is absent.
    public var topLogprobs = 0
    /// The final line's `context` on `/api/generate`; nil leaves it out.
    public var context: [Int]?
    /// When the request arrived.
    public var requestReceived: AnswerMoment
    /// Bytes of text in the prompt, for an estimate when the upstream counts no tokens.
    public var promptBytes = 0
    /// Makes the ids of tool calls that came without one; the same seed gives the same ids.
    public var toolCallSeed: UInt64 = 0
    /// Tool names that were changed for the upstream, by the name that was sent: answers use the client's own again.
    public var originalToolNames: [String: String] = [:]
    /// What of the answer goes into its summary to be remembered.
    public var keeps: EchoParts = []
    /// What the mapping of upstream errors needs to know.
    public var failures: FailureContext

    /// - Parameters:
    ///   - shape: The route that is answered.
    ///   - model: The model's name as the client wrote it.
    ///   - requestReceived: When the request arrived.
    public init(shape: AnswerShape, model: String, requestReceived: AnswerMoment) {
        self.shape = shape
        self.model = model
        self.requestReceived = requestReceived
        failures = FailureContext(model: model)
    }
}
