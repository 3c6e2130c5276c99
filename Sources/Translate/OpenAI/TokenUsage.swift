/// What an upstream says of tokens and of its own times, gathered from wherever it says it.
struct TokenUsage: Sendable, Equatable {
    var promptTokens: Int?
    var answerTokens: Int?
    var cachedTokens: Int?
    /// Nanoseconds, from llama.cpp's `timings`.
    var promptDuration: Int64?
    /// Nanoseconds, from llama.cpp's `timings`.
    var answerDuration: Int64?

    /// Takes a `usage` object. Later ones count, but a zero does not undo a count.
    mutating func take(usage: JSONObject) {
        Self.replace(&promptTokens, by: usage["prompt_tokens"]?.tokenCount ?? usage["input_tokens"]?.tokenCount)
        Self.replace(&answerTokens, by: usage["completion_tokens"]?.tokenCount ?? usage["output_tokens"]?.tokenCount)
        let details = usage["prompt_tokens_details"]?.object ?? usage["input_tokens_details"]?.object
        Self.replace(&cachedTokens, by: details?["cached_tokens"]?.tokenCount ?? usage["prompt_cache_hit_tokens"]?.tokenCount)
    }

    /// Takes counts that were read already, with the same rule.
    mutating func take(_ counts: TokenUsage) {
        Self.replace(&promptTokens, by: counts.promptTokens)
        Self.replace(&answerTokens, by: counts.answerTokens)
        Self.replace(&cachedTokens, by: counts.cachedTokens)
    }

    /// Takes llama.cpp's `timings` object; its counts stand in where `usage` has none.
    mutating func take(timings: JSONObject) {
        if let prompt = timings["prompt_n"]?.tokenCount, promptTokens == nil {
            let sum = prompt.addingReportingOverflow(timings["cache_n"]?.tokenCount ?? 0)
            promptTokens = sum.overflow ? nil : sum.partialValue
        }
        if answerTokens == nil { answerTokens = timings["predicted_n"]?.tokenCount }
        promptDuration = Self.nanoseconds(timings["prompt_ms"]) ?? promptDuration
        answerDuration = Self.nanoseconds(timings["predicted_ms"]) ?? answerDuration
    }

    private static func replace(_ known: inout Int?, by new: Int?) {
        guard let new, new > 0 || known == nil else { return }
        known = new
    }

    private static func nanoseconds(_ milliseconds: JSONValue?) -> Int64? {
        guard let value = milliseconds?.number?.double, value >= 0, value < 1e12 else { return nil }
        return Int64(value * 1_000_000)
    }
}

extension JSONValue {
    /// A number of tokens as an upstream says it; nil for what no answer can have used. Such numbers are added up.
    public var tokenCount: Int? {
        guard let count = number?.integer, (0..<1_000_000_000_000_000).contains(count) else { return nil }
        return count
    }
}
