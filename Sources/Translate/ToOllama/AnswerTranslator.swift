/// Turns an upstream's answer, cut anywhere, into Ollama's NDJSON lines.
///
/// Call ``requestSent(at:)``, ``begin(contentType:)``, ``push(_:at:into:)-(Span<UInt8>,_,_)`` for every piece and ``finish(at:into:)`` at the upstream's end.
/// A failure thrown by `push` or `finish` comes after the lines already in the batch: send those, then the failure as the last line — or, while
/// ``hasBegun`` is false, as the response itself. After a failure, and once ``progress`` is complete, further bytes are ignored.
public struct AnswerTranslator: Sendable {
    var reader: AnswerReader<LineWriter>

    /// - Parameter settings: What the answer needs to know of its request.
    public init(_ settings: AnswerSettings) {
        reader = AnswerReader(settings, sink: LineWriter(settings))
    }

    /// Whether a line has been produced, so that the client's 200 and its header may go out.
    public var hasBegun: Bool { reader.sink.hasBegun }
    /// How far the answer is.
    public var progress: AnswerProgress { reader.progress }
    /// What is known of the answer so far.
    public var summary: AnswerSummary { reader.summary }

    /// The tokens of the prompt and of what has been answered so far, as far as they are known or can be guessed.
    public var tokensSoFar: (prompt: Int, answer: Int) {
        let usage = reader.meter.usage
        return (usage.promptTokens ?? reader.settings.promptBytes / 4, max(usage.answerTokens ?? 0, reader.meter.deltas))
    }

    /// What an answer that breaks off at a moment has cost until then.
    public func summary(brokenOffAt moment: AnswerMoment) -> AnswerSummary {
        var summary = reader.summary
        reader.meter.measure(&summary, at: moment, promptBytes: reader.settings.promptBytes)
        return summary
    }

    /// Notes when the request had gone upstream, for the durations.
    public mutating func requestSent(at moment: AnswerMoment) { reader.meter.requestSent(at: moment) }

    /// Notes what the upstream says its body is. The body's first byte counts for more.
    ///
    /// - Parameter contentType: The `Content-Type` value; nil if there was none.
    public mutating func begin(contentType: String?) { reader.begin(contentType: contentType) }

    /// Takes the next bytes of the upstream's body and appends the lines they complete.
    ///
    /// - Returns: How far the answer is: asking a stored translator for it would copy the translator.
    /// - Throws: What the client is to read if the upstream reports an error, sends what cannot be understood, or stops without an end.
    @discardableResult
    public mutating func push(
        _ bytes: Span<UInt8>, at moment: AnswerMoment, into lines: inout LineBatch
    ) throws(OllamaFailure) -> AnswerProgress {
        swap(&reader.sink.batch, &lines)
        defer { swap(&reader.sink.batch, &lines) }
        try reader.push(bytes, at: moment)
        return reader.progress
    }

    /// Takes the next bytes of the upstream's body and appends the lines they complete.
    @discardableResult
    public mutating func push(
        _ bytes: [UInt8], at moment: AnswerMoment, into lines: inout LineBatch
    ) throws(OllamaFailure) -> AnswerProgress {
        try push(bytes.span, at: moment, into: &lines)
    }

    /// Takes the end of the upstream's body: appends the final line unless it is there already.
    ///
    /// - Throws: If the body ended before the answer did.
    public mutating func finish(at moment: AnswerMoment, into lines: inout LineBatch) throws(OllamaFailure) {
        swap(&reader.sink.batch, &lines)
        defer { swap(&reader.sink.batch, &lines) }
        try reader.finish(at: moment)
    }
}
