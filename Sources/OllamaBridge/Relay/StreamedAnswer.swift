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
    private var passed: PassedAnswer
    /// What ended the answer while its first lines were already there.
    private var failure: OllamaFailure?

    /// Reads until the upstream has really begun, so that a failure before that is still a real status.
    ///
    /// - Throws: `OllamaFailure`, `CancellationError`.
    init(
        _ translator: AnswerTranslator, body: FetchBody, failures: FailureContext, transcript: TranscriptKeeper?, record: RequestRecord,
        finished: @escaping @Sendable (AnswerSummary, OllamaFailure?) -> Void
    ) async throws {
        self.translator = translator
        self.body = body.makeAsyncIterator()
        self.failures = failures
        self.finished = finished
        self.transcript = transcript
        passed = PassedAnswer(record: record, readsUsage: false)
        lines = LineBatch()
        while lines.isEmpty {
            try await advance()
            if let failure, lines.isEmpty { throw failure }
        }
    }

    /// - Parameters:
    ///   - line: The client's socket; nil leaves all writing to the writer.
    ///   - executor: The thread on which the upstream's bytes arrive.
    @concurrent
    func write(to writer: inout any ResponseBodyWriter, over line: ClientLine?, on executor: any TaskExecutor) async throws {
        var answer = self
        let client = ClientConnection.current
        client?.whenCutShort { [body] in body.cancel() }
        defer { client?.whenCutShort(nil) }
        answer.endLines()
        try await writer.write(contentsOf: answer.buffers())
        if !answer.isOver {
            if let line, let socket = try await line.open() {
                answer = try await withTaskExecutorPreference(executor) { [answer] in
                    var answer = answer
                    try await answer.write(to: socket, else: line)
                    return answer
                }
            } else {
                while !answer.isOver {
                    try await answer.readLines()
                    try await writer.write(contentsOf: answer.buffers())
                }
            }
        }
        if answer.failure == nil { transcript?.keep() }
        finished(answer.translator.summary, answer.failure)
    }

    /// Writes the rest without leaving the thread on which it arrives, unless the client is slow.
    private mutating func write(to socket: DirectSocket, else line: ClientLine) async throws {
        var chunks: [UInt8] = []
        while !isOver {
            try await readLines()
            chunks.removeAll(keepingCapacity: true)
            HTTPChunks.append(lines, to: &chunks)
            lines.removeAll()
            let count = try socket.write(chunks)
            if count < chunks.count { try await line.write(chunks[count...]) }
        }
    }

    private var isOver: Bool { translator.isComplete || failure != nil }

    /// Reads on until there are lines to write.
    private mutating func readLines() async throws {
        repeat { try await advance() } while lines.isEmpty && failure == nil
        endLines()
    }

    private mutating func endLines() {
        transcript?.note(lines)
        passed.push(lines.bytes)
        if let failure { lines.append(failure) }
    }

    /// Takes one piece from the upstream. A failure is kept, because lines may have come before it.
    private mutating func advance() async throws {
        do {
            guard let piece = try await (translator.awaitsOnlyTheEnd ? body.next(orEndAfter: Self.silenceAfterFinish) : body.next()) else {
                try translator.finish(at: Clock.now(), into: &lines)
                return
            }
            try translator.push(piece, at: Clock.now(), into: &lines)
        } catch let failure as OllamaFailure {
            self.failure = failure
        } catch let error as FetchError {
            if error == .cancelled, ClientConnection.current?.isCutShort == true {
                failure = .shuttingDown
                return
            }
            guard let failure = UpstreamCall.failure(error, failures) as? OllamaFailure else { throw CancellationError() }
            self.failure = failure
        }
    }

    /// Some upstreams name a finish reason and then neither close nor say that they are done.
    static let silenceAfterFinish = Duration.seconds(5)

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

extension FetchBody.Iterator {
    /// The next bytes; nil at the end, or when nothing came for the time given.
    mutating func next(orEndAfter silence: Duration) async throws -> [UInt8]? {
        let iterator = self
        do {
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await Task.sleep(for: silence)
                    iterator.cancel()
                }
                defer { group.cancelAll() }
                return try await next()
            }
        } catch FetchError.cancelled where !Task.isCancelled {
            return nil
        }
    }
}
