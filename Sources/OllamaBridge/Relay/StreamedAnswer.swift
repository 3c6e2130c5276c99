import Fetch
import HummingbirdCore
import Logging
import NIOCore
import Translate

/// An answer whose first lines are there: writes them and all that follow, at the client's pace.
///
/// Nothing is buffered here beyond one piece from the upstream: while the client does not read, the writer waits, the fetcher's body
/// fills to its high mark, and the upstream's socket is no longer read.
///
/// A class, because an async function keeps every large value it holds, and every copy of it, in a frame that lives as long as the stream:
/// as a struct this took 48 kB of each.
///
/// `@unchecked Sendable`: one thread at a time uses it, first the task that made it, then the one that calls `write`, once, and while that
/// one sleeps in `forward`, the fetcher's thread.
final class StreamedAnswer: @unchecked Sendable {
    private var translator: AnswerTranslator
    private var progress = AnswerProgress.underWay
    private var lines: LineBatch
    private let body: FetchBody.Iterator
    private let failures: FailureContext
    private let finished: @Sendable (AnswerSummary, OllamaFailure?) -> Void
    private let transcript: TranscriptKeeper?
    private var passed: PassedAnswer
    /// What ended the answer while its first lines were already there.
    private var failure: OllamaFailure?
    /// What the client's socket did not take at once.
    private var rest: ArraySlice<UInt8> = []
    private var hasLeft = false

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
        passed = PassedAnswer(record: record, counts: .known)
        lines = LineBatch()
        while lines.isEmpty {
            try await advance()
            try throwEarlyFailure()
        }
    }

    /// - Parameter line: The client's socket; nil leaves all writing to the writer.
    @concurrent
    func write(to writer: inout any ResponseBodyWriter, over line: ClientLine?) async throws {
        do {
            try await writeAll(to: &writer, over: line)
        } catch {
            noteLeft()
            throw error
        }
    }

    @concurrent
    private func writeAll(to writer: inout any ResponseBodyWriter, over line: ClientLine?) async throws {
        let client = ClientConnection.current
        client?.whenCutShort { [body] in body.cancel() }
        defer { client?.whenCutShort(nil) }
        endLines()
        try await writer.write(contentsOf: buffers())
        if !isOver, let line, let socket = try await line.open() { try await write(to: socket, else: line) }
        while !isOver {
            try await readLines()
            try await writer.write(contentsOf: buffers())
        }
        end()
    }

    /// Has lines written by the thread on which they arrive, until the end is near or there is nothing more. That thread runs no task for it:
    /// this one sleeps, and is woken only when the client is slow.
    private func write(to socket: DirectSocket, else line: ClientLine) async throws {
        while hasLinesToCome {
            await body.forward { [self] piece in pass(piece, to: socket) }
            if hasLeft { throw CancellationError() }
            guard !rest.isEmpty else { return }
            try await line.write(rest)
            rest = []
        }
    }

    /// - Returns: Whether more is to come this way.
    private func pass(_ piece: [UInt8], to socket: DirectSocket) -> Bool {
        take(piece)
        if !lines.isEmpty || failure != nil { send(to: socket) }
        return rest.isEmpty && !hasLeft && hasLinesToCome
    }

    private func send(to socket: DirectSocket) {
        endLines()
        let chunks = takeChunks()
        do {
            let count = try socket.write(chunks)
            if count < chunks.count { rest = chunks[count...] }
        } catch {
            hasLeft = true
        }
    }

    /// More than the end is expected of the upstream.
    private var hasLinesToCome: Bool { !isOver && progress != .awaitsOnlyTheEnd }

    private var isOver: Bool { progress == .complete || failure != nil }

    /// Reads on until there are lines to write.
    @inline(never)
    private func readLines() async throws {
        repeat { try await advance() } while lines.isEmpty && failure == nil
        endLines()
    }

    @inline(never)
    private func endLines() {
        transcript?.note(lines)
        passed.push(lines.bytes)
        if let failure { lines.append(failure) }
    }

    /// Takes one piece from the upstream. A failure is kept, because lines may have come before it.
    private func advance() async throws {
        if progress == .awaitsOnlyTheEnd { return try await advanceToEnd() }
        do {
            var body = body
            take(try await body.next())
        } catch {
            try fail(error)
        }
    }

    @inline(never)
    private func advanceToEnd() async throws {
        do {
            var body = body
            take(try await body.next(orEndAfter: Self.silenceAfterFinish))
        } catch let error as FetchError {
            try fail(error)
        }
    }

    // What follows never waits, and is kept out of the functions that do: they would have room for all its temporaries in their frames,
    // which live as long as the stream.

    @inline(never)
    private func throwEarlyFailure() throws {
        if let failure, lines.isEmpty { throw failure }
    }

    /// - Parameter piece: nil at the upstream's end.
    @inline(never)
    private func take(_ piece: [UInt8]?) {
        do {
            if let piece {
                progress = try translator.push(piece, at: Clock.now(), into: &lines)
            } else {
                try translator.finish(at: Clock.now(), into: &lines)
                progress = .complete
            }
        } catch {
            failure = error
        }
    }

    @inline(never)
    private func fail(_ error: FetchError) throws {
        if error == .cancelled, ClientConnection.current?.isCutShort == true {
            failure = .shuttingDown
            return
        }
        guard let failure = UpstreamCall.failure(error, failures) as? OllamaFailure else { throw CancellationError() }
        self.failure = failure
    }

    @inline(never)
    private func end() {
        if failure == nil { transcript?.keep() }
        finished(failure == nil ? translator.summary : translator.summary(brokenOffAt: Clock.now()), failure)
    }

    /// A client that leaves has had what it has read: leaving before the end is no way round a budget.
    @inline(never)
    private func noteLeft() {
        let tokens = translator.tokensSoFar
        passed.record.note { facts in
            facts.promptTokens = tokens.prompt
            facts.answerTokens = tokens.answer
            facts.tokensAreEstimated = true
        }
    }

    private func takeChunks() -> [UInt8] {
        var chunks: [UInt8] = []
        HTTPChunks.append(lines, to: &chunks)
        lines.removeAll()
        return chunks
    }

    /// Some upstreams name a finish reason and then neither close nor say that they are done.
    static let silenceAfterFinish = Duration.seconds(5)

    /// One buffer a line, so that each line is one HTTP chunk: some clients parse chunk by chunk.
    @inline(never)
    private func buffers() -> [ByteBuffer] {
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
    /// The next bytes; nil at the end, however it comes once all has been said, or when nothing came for the time given.
    @inline(never)
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
        } catch FetchError.closedEarly {
            return nil
        }
    }
}
