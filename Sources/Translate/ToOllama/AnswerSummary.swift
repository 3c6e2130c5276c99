/// What is known of an answer, for the log, the metrics and the audit; complete once the answer is.
public struct AnswerSummary: Sendable, Equatable {
    /// Tokens of the prompt, as on the final line.
    public var promptTokens = 0
    /// Tokens of the answer, as on the final line.
    public var answerTokens = 0
    /// Tokens of the prompt that the upstream had cached, if it said so.
    public var cachedTokens: Int?
    /// Whether a count is our estimate because the upstream gave none.
    public var isEstimated = false
    /// Nanoseconds, as on the final line; each at least 1.
    public var totalDuration: Int64 = 0
    /// Nanoseconds from the request's arrival to its sending upstream.
    public var loadDuration: Int64 = 0
    /// Nanoseconds until the first delta.
    public var promptDuration: Int64 = 0
    /// Nanoseconds from the first delta to the last.
    public var answerDuration: Int64 = 0
    /// `stop` or `length`; nil until the answer is complete.
    public var doneReason: String?
    /// The upstream's last `finish_reason`, as it wrote it.
    public var finishReason: String?
    /// Deltas that carried text, reasoning or a part of a tool call.
    public var deltas = 0
    /// Tool calls in the answer.
    public var toolCalls = 0
    /// The upstream's id for this answer, if it gave one.
    public var upstreamID: String?
    /// What is to be remembered for later requests.
    public var echo: AnswerEcho?
}
