import Fetch
import Translate

/// A streamed answer: one chunk a line, each written as it comes.
///
/// The status is held back until there is a line, so that a failure before that is a real status.
final class FastStream: FastAnswer {
    private var translator: AnswerTranslator
    private var lines = LineBatch()
    private var passed: PassedAnswer
    private var hasBegun = false

    override init(_ ready: ReadyRequest, _ connection: FastConnection) {
        translator = AnswerTranslator(ready.settings)
        passed = PassedAnswer(record: ready.log.exchange.record, counts: .known)
        super.init(ready, connection)
    }

    override func begin(contentType: String?) {
        translator.requestSent(at: began)
        translator.begin(contentType: contentType)
    }

    override func take(_ bytes: Span<UInt8>) throws(OllamaFailure) -> AnswerProgress {
        var progress = AnswerProgress.underWay
        // Lines may have come before a failure, and go out before it.
        defer { writeLines(isLast: progress == .complete) }
        progress = try translator.push(bytes, at: moment, into: &lines)
        return progress
    }

    override func takeEnd() throws(OllamaFailure) {
        var isWhole = false
        defer { writeLines(isLast: isWhole) }
        try translator.finish(at: moment, into: &lines)
        isWhole = true
    }

    private func writeLines(isLast: Bool) {
        if !lines.isEmpty { write(isLast: isLast) }
    }

    /// - Parameter failure: What the last line tells.
    private func write(isLast: Bool, _ failure: OllamaFailure? = nil) {
        transcript?.note(lines)
        passed.push(lines.bytes)
        // Before the client can know that its answer is whole.
        if isLast { noteEnd(failure) }
        var output: [UInt8] = []
        if !hasBegun {
            hasBegun = true
            ResponseBytes.appendStreamHead(to: &output, closes: connection.willClose())
        }
        HTTPChunks.append(lines, to: &output)
        if isLast { output += HTTPChunks.end }
        lines.removeAll()
        connection.send(output)
    }

    override func tell(_ failure: OllamaFailure) -> Int {
        guard hasBegun else { return super.tell(failure) }
        lines.append(failure)
        write(isLast: true, failure)
        return 200
    }

    private func noteEnd(_ failure: OllamaFailure?) {
        if failure == nil { transcript?.keep() }
        let summary = failure == nil ? translator.summary : translator.summary(brokenOffAt: moment)
        remember(summary)
        log.finished(summary, failure)
    }

    override func noteLeft(_ facts: inout RequestRecord.Facts) {
        (facts.promptTokens, facts.answerTokens) = translator.tokensSoFar
        facts.tokensAreEstimated = true
    }
}
