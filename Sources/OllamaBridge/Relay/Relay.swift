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

    func answer(_ request: InferenceRequest, _ exchange: Exchange) async throws -> Response {
        let model = try catalog.current.require(request.model, for: request.shape == .chat ? .chat : .generate)
        if request.work != .unload { try request.check(against: model) }
        running.note(model, keepAlive: request.keepAlive, numCtx: request.options.numCtx)
        if let reason = request.loadReason {
            return .json(LoadAnswer.body(reason, shape: request.shape, model: request.model, at: Clock.now()))
        }
        exchange.client.setInferring(true)
        let pictures = try await prepare(request, model, exchange.log)
        let log = AnswerLog(exchange: exchange, model: model, facts: pictures.facts)
        let settings = settings(request, model, exchange, hasPictures: !pictures.facts.isEmpty)
        let (reply, body) = try await upstream.send(to: model, failures: settings.failures, log: exchange.log) { (learned) throws(OllamaFailure) in
            try ChatCompletionBuilder.build(request, model: model, images: pictures.perMessage(of: request), adjustments: learned)
        }
        let sent = Clock.now()
        let contentType = reply.headers["Content-Type"]
        var headers = PictureHeader.fields(pictures.facts)
        guard request.stream else {
            var collector = AnswerCollector(settings)
            collector.requestSent(at: sent)
            collector.begin(contentType: contentType)
            return .json(try await collect(reply, &collector, settings.failures, log), headers: headers)
        }
        var translator = AnswerTranslator(settings)
        translator.requestSent(at: sent)
        translator.begin(contentType: contentType)
        _ = body
        let answer = try await StreamedAnswer(translator, body: reply.body, failures: settings.failures) { log.finished($0, $1) }
        headers[.contentType] = "application/x-ndjson"
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                try await answer.write(to: &writer)
                try await writer.finish(nil)
            })
    }

    private func collect(_ reply: FetchReply, _ collector: inout AnswerCollector, _ failures: FailureContext, _ log: AnswerLog) async throws
        -> [UInt8]
    {
        do {
            for try await piece in reply.body {
                try collector.push(piece, at: Clock.now())
                if collector.isComplete { break }
            }
            let body = try collector.finish(at: Clock.now())
            log.finished(collector.summary, nil)
            return body
        } catch let error as FetchError {
            throw UpstreamCall.failure(error, failures)
        }
    }

    private func prepare(_ request: InferenceRequest, _ model: ResolvedModel, _ log: Logger) async throws -> PreparedPictures {
        let positions = request.picturePositions
        let slots = positions.map { position in
            PictureSlot(
                source: request.messages[position.message].images[position.image],
                isInNewestTurn: request.isInNewestTurn(message: position.message))
        }
        do {
            return try await images.prepare(
                slots, model: request.model, settings: model.images, hasVision: model.capabilities.vision
            ) { picture, describer in
                try await Describer(catalog: catalog, upstream: upstream).caption(picture, by: describer, log: log)
            }
        } catch let rejection as PictureRejection {
            guard let slot = rejection.slot else { throw rejection.fault.failure() }
            throw rejection.fault.failure(
                message: request.clientPosition(ofMessage: positions[slot].message), image: positions[slot].image)
        }
    }

    private func settings(_ request: InferenceRequest, _ model: ResolvedModel, _ exchange: Exchange, hasPictures: Bool) -> AnswerSettings {
        var settings = AnswerSettings(shape: request.shape, model: request.model, requestReceived: exchange.received)
        settings.thinking = request.think == .off ? .drop : .pass
        settings.thinkTags = model.dialect.thinkTags ? .split : .none
        settings.logprobs = request.logprobs
        settings.topLogprobs = request.topLogprobs
        settings.promptBytes = request.messages.reduce(0) { $0 + $1.content.utf8.count }
        settings.failures.requestHadImages = hasPictures
        settings.failures.requestHadTools = !request.tools.isEmpty
        settings.failures.secrets = model.provider.secrets
        return settings
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

extension Provider {
    /// What must never be repeated to a client, should the upstream quote it.
    var secrets: [String] { (apiKey.map { [$0.value] } ?? []) + headers.map(\.value.value) }
}
