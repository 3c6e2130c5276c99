/// Where the parts of an answer go: to lines, or into one object.
protocol AnswerSink: Sendable {
    /// The moment of what comes next.
    var moment: AnswerMoment { get set }

    /// Takes text as unescaped UTF-8; never empty.
    mutating func text(_ kind: TextKind, _ text: ArraySlice<UInt8>, logprobs: [JSONValue])

    /// Takes text as the inside of a JSON string, escapes and all, known to be valid; never empty.
    mutating func escapedText(_ kind: TextKind, _ text: Span<UInt8>)

    /// Takes a whole tool call.
    mutating func toolCall(_ call: AnswerToolCall, index: Int)

    /// Learns that all content so far was reasoning.
    ///
    /// - Parameter kept: Whether the client is to see it.
    mutating func contentWasThinking(kept: Bool)

    /// Takes the end; the summary is complete.
    mutating func finish(_ summary: AnswerSummary)
}
