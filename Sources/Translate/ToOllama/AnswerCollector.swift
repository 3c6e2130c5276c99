/// Turns an upstream's answer, streamed or whole, into the one JSON object of `stream: false`.
public struct AnswerCollector: Sendable {
    /// The most text that is gathered; an upstream that never ends must not fill the memory.
    public static let largestAnswer = 64 << 20

    var reader: AnswerReader<WholeAnswer>

    /// - Parameter settings: What the answer needs to know of its request.
    public init(_ settings: AnswerSettings) {
        reader = AnswerReader(settings, sink: WholeAnswer(settings))
    }

    /// How far the answer is.
    public var progress: AnswerProgress { reader.progress }
    /// What is known of the answer so far.
    public var summary: AnswerSummary { reader.summary }

    /// Notes when the request had gone upstream, for the durations.
    public mutating func requestSent(at moment: AnswerMoment) { reader.meter.requestSent(at: moment) }

    /// Notes what the upstream says its body is. The body's first byte counts for more.
    public mutating func begin(contentType: String?) { reader.begin(contentType: contentType) }

    /// Takes the next bytes of the upstream's body.
    ///
    /// - Returns: How far the answer is.
    /// - Throws: As ``AnswerTranslator``; nothing of the answer is sent then.
    @discardableResult
    public mutating func push(_ bytes: Span<UInt8>, at moment: AnswerMoment) throws(OllamaFailure) -> AnswerProgress {
        try reader.push(bytes, at: moment)
        if reader.sink.size > Self.largestAnswer { throw FailureMapping.failure(.tooLarge, context: reader.settings.failures) }
        return reader.progress
    }

    /// Takes the next bytes of the upstream's body.
    @discardableResult
    public mutating func push(_ bytes: [UInt8], at moment: AnswerMoment) throws(OllamaFailure) -> AnswerProgress {
        try push(bytes.span, at: moment)
    }

    /// Takes the end of the upstream's body.
    ///
    /// - Returns: The response's body.
    /// - Throws: If the body ended before the answer did.
    public mutating func finish(at moment: AnswerMoment) throws(OllamaFailure) -> [UInt8] {
        try reader.finish(at: moment)
        return reader.sink.body
    }
}
