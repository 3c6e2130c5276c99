import Fetch
import HTTPTypes
import HummingbirdCore
import Logging
import Translate

/// The walk of a chat or generate request: resolve the model, normalise the pictures, build the request, ask the upstream, translate.
struct Relay: Sendable {
    let catalog: CatalogStore
    let running: RunningModels
    let images: ImageStage
    let upstream: UpstreamCall
    let chooser: RouteChooser
    let describer: Describer
    let contexts = ContextStore()
    let echoes = EchoMemory()

    func answer(_ request: InferenceRequest, _ exchange: Exchange) async throws -> Response {
        let client = exchange.clientName
        let headStart = exchange.client.takeHeadStart()
        let (request, transcript) = continuing(request, of: client)
        let model = try catalog.require(request.model, for: request.shape == .chat ? .chat : .generate)
        if request.work != .unload { try request.check(against: model) }
        let use = running.use(model, keepAlive: request.keepAlive, numCtx: request.options.numCtx)
        if let reason = request.loadReason {
            return .json(LoadAnswer.body(reason, shape: request.shape, model: request.model, at: Clock.now()))
        }
        exchange.record.noteQuestion(request.messages.last { $0.role == .user }?.content.string ?? "")
        try await exchange.beginInference(model)
        let positions = request.picturePositions
        let members = try chooser.members(of: model, needsVision: !positions.isEmpty, name: request.model)
        var settings = settings(request, model, exchange, hasPictures: !positions.isEmpty)
        let pictures = PictureBox()
        return try await exchange.record.countingLeavers(promptBytes: settings.promptBytes) {
            let answer = try await upstream.send(to: members, failures: settings.failures, log: exchange.log, headStart: headStart) {
                member, learned in
                let prepared = try await pictures.prepared(for: member) { try await prepare(request, positions, member, exchange.log) }
                return try ChatCompletionBuilder.build(
                    echoes.recall(request, for: member, client: client), model: member, images: prepared.perMessage(of: request),
                    adjustments: learned)
            }
            settle(&settings, request, answer.model, answer.body, transcript)
            let facts = pictures.current?.facts ?? []
            let log = AnswerLog(exchange: exchange, model: answer.model, facts: facts)
            return try await respond(to: request, with: answer, settings, transcript, PictureHeader.fields(facts), log, holding: use)
        }
    }

    /// Puts the conversation that a generate request's `context` names before its prompt.
    func continuing(_ request: InferenceRequest, of client: String?) -> (InferenceRequest, TranscriptKeeper?) {
        guard let generate = request.generate, !generate.raw, generate.suffix == nil, request.work == .answer else { return (request, nil) }
        var request = request
        var earlier = contexts.transcript(generate.context, of: client)
        // Many clients send the system's words with every request.
        if generate.system != nil { earlier.removeAll { $0.role == .system } }
        let start = request.messages.firstIndex { $0.role == .user } ?? request.messages.endIndex
        request.messages.insert(contentsOf: earlier, at: start)
        return (request, TranscriptKeeper(contexts, client: client, question: request.messages))
    }

    private func respond(
        to request: InferenceRequest, with answer: UpstreamCall.Answer, _ settings: AnswerSettings, _ transcript: TranscriptKeeper?,
        _ headers: HTTPFields, _ log: AnswerLog, holding use: RunningModels.Use
    ) async throws -> Response {
        let remember = remembering(request, settings.keeps, log, holding: use)
        let contentType = answer.reply.headers["Content-Type"]
        let record = log.exchange.record
        guard request.stream else {
            var collector = AnswerCollector(settings)
            collector.requestSent(at: answer.sent)
            collector.begin(contentType: contentType)
            let body = try await collect(answer.reply, &collector, settings.failures, log)
            remember(collector.summary)
            transcript?.note(body)
            var passed = PassedAnswer(record: record, counts: .known)
            passed.push(body)
            passed.finish()
            transcript?.keep()
            return .json(body, headers: headers)
        }
        var translator = AnswerTranslator(settings)
        translator.requestSent(at: answer.sent)
        translator.begin(contentType: contentType)
        let streamed = try await StreamedAnswer(
            translator, body: answer.reply.body, failures: settings.failures, transcript: transcript, record: record
        ) { summary, failure in
            remember(summary)
            log.finished(summary, failure)
        }
        let line = log.exchange.line
        return Response(
            status: .ok, headers: headers.adding(.contentType, "application/x-ndjson"),
            body: ResponseBody { writer in
                try await streamed.write(to: &writer, over: line)
                try await writer.finish(nil)
            })
    }

    /// What is to be done once the answer is known.
    func remembering(
        _ request: InferenceRequest, _ keeps: EchoParts, _ log: AnswerLog, holding use: RunningModels.Use
    ) -> @Sendable (AnswerSummary) -> Void {
        if keeps.isEmpty { return { _ in withExtendedLifetime(use) {} } }
        // Not the request itself, which would keep its pictures in memory as long as the stream runs.
        return
            { [echoes, place = EchoPlace(answering: request)] summary in
                withExtendedLifetime(use) { echoes.remember(summary.echo, at: place, of: log.model, client: log.exchange.clientName) }
            }
    }

    private func collect(_ reply: FetchReply, _ collector: inout AnswerCollector, _ failures: FailureContext, _ log: AnswerLog) async throws
        -> [UInt8]
    {
        do {
            var pieces = reply.body.makeAsyncIterator()
            while collector.progress != .complete {
                let next =
                    collector.progress == .awaitsOnlyTheEnd
                    ? try await pieces.next(orEndAfter: StreamedAnswer.silenceAfterFinish) : try await pieces.next()
                guard let piece = next else { break }
                try collector.push(piece, at: Clock.now())
            }
            let body = try collector.finish(at: Clock.now())
            log.finished(collector.summary, nil)
            return body
        } catch let error as FetchError {
            throw UpstreamCall.failure(error, failures)
        }
    }

    private func prepare(
        _ request: InferenceRequest, _ positions: [(message: Int, image: Int)], _ model: ResolvedModel, _ log: Logger
    ) async throws -> PreparedPictures {
        do {
            return try await images.prepare(
                request.pictureSlots(positions), for: model, requestedName: request.model, textBytes: request.textBytes
            ) { picture, describer in
                try await self.describer.caption(picture, by: describer, log: log)
            }
        } catch let rejection as PictureRejection {
            guard let slot = rejection.slot else { throw rejection.fault.failure() }
            throw rejection.fault.failure(
                message: request.clientPosition(ofMessage: positions[slot].message), image: positions[slot].image)
        }
    }

    func settings(_ request: InferenceRequest, _ model: ResolvedModel, _ exchange: Exchange, hasPictures: Bool) -> AnswerSettings {
        var settings = AnswerSettings(shape: request.shape, model: request.model, requestReceived: exchange.received)
        settings.thinking = request.think == .off ? .drop : .pass
        settings.logprobs = request.logprobs
        settings.topLogprobs = request.topLogprobs
        settings.toolCallSeed = request.toolCallSeed
        settings.promptBytes = request.messages.reduce(0) { $0 + $1.content.utf8.count }
        settings.failures.requestHadImages = hasPictures
        settings.failures.requestHadTools = !request.tools.isEmpty
        return settings
    }

    /// Adds what is known once it is certain which upstream answers.
    func settle(
        _ settings: inout AnswerSettings, _ request: InferenceRequest, _ model: ResolvedModel, _ body: UpstreamBody,
        _ transcript: TranscriptKeeper?
    ) {
        settings.thinkTags = model.dialect.thinkTags
        settings.failures.secrets = model.provider.secrets
        settings.keeps = EchoParts(model.dialect, answering: request)
        settings.originalToolNames = body.originalToolNames
        settings.context = transcript.map { [$0.id] }
    }
}

/// The pictures as they were made for the member that is being tried; another member with other limits has them made anew.
final class PictureBox {
    private(set) var current: PreparedPictures?
    private var settings: ImageSettings?

    func prepared(for model: ResolvedModel, make: () async throws -> PreparedPictures) async throws -> PreparedPictures {
        if let current, settings == model.images { return current }
        let made = try await make()
        current = made
        settings = model.images
        return made
    }
}

extension InferenceRequest {
    fileprivate var loadReason: LoadAnswer.Reason? {
        switch work {
        case .answer: nil
        case .load: .load
        case .unload: .unload
        }
    }

    /// Where each picture stands, in order.
    var picturePositions: [(message: Int, image: Int)] {
        messages.enumerated().flatMap { message, content in content.images.indices.map { (message, $0) } }
    }
}

extension InferenceRequest {
    /// The pictures that stand there.
    func pictureSlots(_ positions: [(message: Int, image: Int)]) -> [PictureSlot] {
        let newest = newestTurnStart
        return positions.map { position in
            PictureSlot(source: messages[position.message].images[position.image], isInNewestTurn: position.message >= newest)
        }
    }
}

extension PreparedPictures {
    /// The outcomes in the shape of the request's messages.
    fileprivate func perMessage(of request: InferenceRequest) -> [[ImageOutcome]] {
        var rest = outcomes[...]
        return request.messages.map { message in
            defer { rest = rest.dropFirst(message.images.count) }
            return Array(rest.prefix(message.images.count))
        }
    }
}
