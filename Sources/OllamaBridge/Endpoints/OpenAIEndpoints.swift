import Fetch
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import Translate

/// `/v1`: OpenAI's API passed through, with pictures normalised and model names mapped both ways.
struct OpenAIEndpoints: Sendable {
    let catalog: CatalogStore
    let running: RunningModels
    let images: ImageStage
    let upstream: UpstreamCall
    let chooser: RouteChooser
    let describer: Describer
    let bodies: RequestBodies

    func register(in routes: inout Routes) {
        routes.on(.post, at: "/v1/chat/completions") { try await pass($0, .chatCompletions) }
        routes.on(.post, at: "/v1/completions") { try await pass($0, .completions) }
        routes.on(.post, at: "/v1/embeddings") { try await pass($0, .embeddings) }
        routes.on(.post, at: "/v1/messages") { _ in
            .json(
                JSONWriter.bytes([
                    "type": "error", "error": ["type": "not_found_error", "message": "/v1/messages is not available on this server"],
                ]), status: .notFound)
        }
        for path in ["/v1/responses", "/v1/responses/*", "/v1/audio/*", "/v1/images/*", "/v1/moderations"] {
            routes.on(.get, .post, at: path) { exchange in
                throw OpenAIFailure(status: 404, message: "\(exchange.request.uri.path) is not available on this server")
            }
        }
    }

    private func pass(_ exchange: Exchange, _ route: OpenAIRequestEditor.Route) async throws -> Response {
        let bytes = try await bodies.read(exchange)
        let editor = try await edit(bytes, route)
        let model: ResolvedModel
        do {
            model = try catalog.require(editor.model, for: .chat)
        } catch {
            throw OpenAIFailure(error, param: "model")
        }
        let use = running.use(model, keepAlive: nil, numCtx: nil)
        exchange.record.noteQuestion(editor.question)
        try await exchange.beginInference(model)
        let members = try chooser.members(of: model, needsVision: !editor.pictures.isEmpty, name: editor.model)
        var failures = FailureContext(model: editor.model)
        failures.requestHadImages = !editor.pictures.isEmpty
        let box = PictureBox()
        let answer = try await exchange.record.countingLeavers(promptBytes: editor.textBytes) {
            try await upstream.send(to: members, failures: failures, log: exchange.log) { member, learned in
                let prepared = try await box.prepared(for: member) { try await prepare(editor, member, exchange.log) }
                return editor.rewritten(model: member, outcomes: prepared.outcomes, adjustments: learned)
            }
        }
        failures.secrets = answer.model.provider.secrets
        // Nobody streams vectors, whatever is asked.
        let isStream = editor.stream && route != .embeddings
        let reply = answer.reply
        let type = reply.headers["Content-Type"]
        var headers = PictureHeader.fields(box.current?.facts ?? [])
        headers[.contentType] = type ?? (isStream ? "text/event-stream" : "application/json")
        exchange.record.note { record in
            record.provider = answer.model.provider.name
            record.pictures = box.current?.facts ?? []
        }
        var rewriter = OpenAIStreamRewriter(model: editor.model, asEvents: isStream, failures: failures)
        try rewriter.begin(contentType: type)
        var passage = Passage(
            rewriter: rewriter, pieces: reply.body.makeAsyncIterator(), failures: failures, record: exchange.record,
            counts: .read(promptEstimate: editor.textBytes / 4, vectors: route == .embeddings), use: use, received: exchange.received,
            log: exchange.log,
            metadata: ["model": "\(model.listedName)", "provider": "\(answer.model.provider.name)"])
        if isStream {
            try await passage.open()
            if passage.isEventStream { headers[.contentType] = "text/event-stream" }
            return Response(status: .ok, headers: headers, body: ResponseBody { [passage] in try await passage.write(to: &$0) })
        }
        let body = try await exchange.record.countingLeavers(promptBytes: editor.textBytes) { try await passage.collect() }
        return Response(status: .ok, headers: headers, body: .init(bytes: body))
    }

    private func edit(_ bytes: [UInt8], _ route: OpenAIRequestEditor.Route) async throws -> OpenAIRequestEditor {
        if bytes.count <= RequestBodies.parsedOnEventLoop { return try OpenAIRequestEditor(bytes, route: route) }
        return try await bodies.workers.run { _ in try OpenAIRequestEditor(bytes, route: route) }
    }

    private func prepare(_ editor: OpenAIRequestEditor, _ model: ResolvedModel, _ log: Logger) async throws -> PreparedPictures {
        let slots = editor.pictures.map { PictureSlot(source: $0.source, isInNewestTurn: $0.isInNewestTurn, detail: $0.detail) }
        do {
            return try await images.prepare(
                slots, for: model, requestedName: editor.model, textBytes: editor.textBytes
            ) { picture, describer in
                try await self.describer.caption(picture, by: describer, log: log)
            }
        } catch let rejection as PictureRejection {
            throw OpenAIFailure(rejection.fault.failure(), param: rejection.slot.map { editor.pictures[$0].param })
        }
    }
}

/// An upstream's `/v1` answer on its way through: unbuffered, only the model's name replaced.
private struct Passage: Sendable {
    var rewriter: OpenAIStreamRewriter
    let pieces: FetchBody.Iterator
    /// What can go on before anything has been sent.
    var beginning: [UInt8] = []
    /// Nothing comes behind the beginning.
    var isWhole = false
    let failures: FailureContext
    let record: RequestRecord
    let counts: PassedAnswer.Counts
    /// The model is answering as long as this is here.
    let use: RunningModels.Use
    let received: AnswerMoment
    let log: Logger
    let metadata: Logger.Metadata

    /// Whether what the client gets are events.
    var isEventStream: Bool { rewriter.isEventStream }

    /// Reads until there is something to send: some upstreams say 200 and then send an error, which can have its own status only now.
    mutating func open() async throws {
        var pieces = pieces
        do {
            while beginning.isEmpty, !isWhole {
                if let piece = try await pieces.next() {
                    try rewriter.push(piece, into: &beginning)
                } else {
                    try rewriter.finish(into: &beginning)
                    isWhole = true
                }
            }
        } catch let error as FetchError {
            throw UpstreamCall.failure(error, failures)
        }
        if rewriter.isEmpty, isWhole || rewriter.sawDone { throw FailureMapping.empty }
        if let failure = rewriter.failure, !rewriter.sawChoice { throw failure }
        if !beginning.isEmpty { noteFirst() }
    }

    @concurrent
    func write(to writer: inout any ResponseBodyWriter) async throws {
        var (rewriter, pieces, output) = (rewriter, pieces, beginning)
        var passed = PassedAnswer(record: record, counts: counts)
        var failed = false
        let client = ClientConnection.current
        client?.whenCutShort { [pieces] in pieces.cancel() }
        defer { client?.whenCutShort(nil) }
        do {
            repeat {
                if output.isEmpty { continue }
                noteFirst()
                passed.push(output)
                try await writer.write(ByteBuffer(bytes: output))
                output.removeAll(keepingCapacity: true)
            } while try await push(isWhole ? nil : pieces.next(), into: &rewriter, &output)
            if !isWhole { try rewriter.finish(into: &output) }
            if rewriter.isEmpty { throw FailureMapping.empty }
        } catch let error as FetchError {
            let isCutShort = error == .cancelled && client?.isCutShort == true
            guard let failure = isCutShort ? .shuttingDown : UpstreamCall.failure(error, failures) as? OllamaFailure else {
                passed.finish()
                throw CancellationError()
            }
            output += end(with: failure)
            failed = true
        } catch let failure as OllamaFailure {
            output += end(with: failure)
            failed = true
        } catch {
            // The client has left; what it has read counts all the same.
            passed.finish()
            throw error
        }
        passed.push(output)
        if let failure = rewriter.failure { note(failure) }
        passed.finish(failed: failed || rewriter.failure != nil)
        if !output.isEmpty { try await writer.write(ByteBuffer(bytes: output)) }
        try await writer.finish(nil)
        log.info("Passed through", metadata: metadata)
    }

    /// - Returns: Whether there was a piece.
    private func push(_ piece: [UInt8]?, into rewriter: inout OpenAIStreamRewriter, _ output: inout [UInt8]) throws -> Bool {
        guard let piece else { return false }
        try rewriter.push(piece, into: &output)
        return true
    }

    private func noteFirst() {
        record.note { record in
            if record.firstToken == nil { record.firstToken = Clock.now().since(received) }
        }
    }

    private func end(with failure: OllamaFailure) -> [UInt8] {
        note(failure)
        return OpenAIFailure(failure).event
    }

    private func note(_ failure: OllamaFailure) {
        record.note { $0.failure = failure }
        log.warning("Answer broke off", metadata: metadata.merging(["error": "\(failure.summary(in: log))"]) { $1 })
    }

    func collect() async throws -> [UInt8] {
        var (rewriter, pieces) = (rewriter, pieces)
        var output: [UInt8] = []
        do {
            while let piece = try await pieces.next() {
                try rewriter.push(piece, into: &output)
                guard output.count <= AnswerCollector.largestAnswer else { throw FailureMapping.failure(.tooLarge, context: failures) }
            }
        } catch let error as FetchError {
            throw UpstreamCall.failure(error, failures)
        }
        try rewriter.finish(into: &output)
        if output.isEmpty { throw FailureMapping.empty }
        if rewriter.isForeign { throw FailureMapping.unreadable }
        // Nothing has been sent yet, so the client can have a real status.
        if let failure = rewriter.failure { throw failure }
        var passed = PassedAnswer(record: record, counts: counts)
        passed.push(output)
        passed.finish()
        log.info("Passed through", metadata: metadata)
        return output
    }
}
