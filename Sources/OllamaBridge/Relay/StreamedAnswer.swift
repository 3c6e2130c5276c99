import Fetch
import HummingbirdCore
import Logging
import NIOCore
import Translate

/// An answer whose first lines are there: writes them and all that follow, at the client's pace.
///
/// Nothing is buffered here beyond one piece from the upstream: while the client does not read, the writer waits, the fetcher's body
/// fills to its high mark, and the upstream's socket is no longer read.
struct StreamedAnswer: Sendable {
    private var translator: AnswerTranslator
    private var lines: LineBatch
    private var body: FetchBody.Iterator
    private let failures: FailureContext
    private let finished: @Sendable (AnswerSummary, OllamaFailure?) -> Void
    private let transcript: TranscriptKeeper?
    /// What ended the answer while its first lines were already there.
    private var failure: OllamaFailure?

    /// Reads until the upstream has really begun, so that a failure before that is still a real status.
    ///
    /// - Throws: `OllamaFailure`, `CancellationError`.
    init(
        _ translator: AnswerTranslator, body: FetchBody, failures: FailureContext, transcript: TranscriptKeeper?,
        finished: @escaping @Sendable (AnswerSummary, OllamaFailure?) -> Void
    ) async throws {
        self.translator = translator
        self.body = body.makeAsyncIterator()
        self.failures = failures
        self.finished = finished
        self.transcript = transcript
        lines = LineBatch()
        while lines.isEmpty {
            try await advance()
            if let failure, lines.isEmpty { throw failure }
        }
    }

    @concurrent
    func write(to writer: inout any ResponseBodyWriter) async throws {
        var answer = self
        while true {
            transcript?.note(answer.lines)
            if let failure = answer.failure { answer.lines.append(failure) }
            try await writer.write(contentsOf: answer.buffers())
            if answer.translator.isComplete || answer.failure != nil { break }
            repeat { try await answer.advance() } while answer.lines.isEmpty && answer.failure == nil
        }
        if answer.failure == nil { transcript?.keep() }
        finished(answer.translator.summary, answer.failure)
    }

    /// Takes one piece from the upstream. A failure is kept, because lines may have come before it.
    private mutating func advance() async throws {
        do {
            guard let piece = try await body.next() else {
                try translator.finish(at: Clock.now(), into: &lines)
                return
            }
            try translator.push(piece, at: Clock.now(), into: &lines)
        } catch let failure as OllamaFailure {
            self.failure = failure
        } catch let error as FetchError {
            guard let failure = UpstreamCall.failure(error, failures) as? OllamaFailure else { throw CancellationError() }
            self.failure = failure
        }
    }

    /// One buffer a line, so that each line is one HTTP chunk: some clients parse chunk by chunk.
    private mutating func buffers() -> [ByteBuffer] {
        defer { lines.removeAll() }
        let all = ByteBuffer(bytes: lines.bytes)
        var start = 0
        return lines.ends.compactMap { end in
            defer { start = end }
            return all.getSlice(at: start, length: end - start)
        }
    }
}
