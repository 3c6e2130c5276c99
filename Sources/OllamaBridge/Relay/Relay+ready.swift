import Fetch
import Translate

/// A request that can go to its one upstream at once, and what its answer needs.
final class ReadyRequest {
    let fetch: FetchRequest
    let body: UpstreamBody
    let settings: AnswerSettings
    let isStream: Bool
    let provider: String
    let transcript: TranscriptKeeper?
    let log: AnswerLog
    let remember: @Sendable (AnswerSummary) -> Void

    init(
        fetch: FetchRequest, body: UpstreamBody, settings: AnswerSettings, isStream: Bool, provider: String, transcript: TranscriptKeeper?,
        log: AnswerLog, remember: @escaping @Sendable (AnswerSummary) -> Void
    ) {
        self.fetch = fetch
        self.body = body
        self.settings = settings
        self.isStream = isStream
        self.provider = provider
        self.transcript = transcript
        self.log = log
        self.remember = remember
    }
}

extension Relay {
    /// The first half of ``answer(_:_:)`` for a request that has to wait for nothing on its way: no pictures, a single upstream, a place
    /// among those that run.
    ///
    /// - Returns: nil for every other request, one with a mistake included; then nothing has been done that is not undone when the exchange
    ///   is let go of.
    func ready(_ request: InferenceRequest, _ exchange: Exchange) -> ReadyRequest? {
        guard request.work == .answer, !request.hasPictures else { return nil }
        let client = exchange.clientName
        let (request, transcript) = continuing(request, of: client)
        guard let model = try? catalog.require(request.model, for: request.shape == .chat ? .chat : .generate),
            model.routes.isEmpty, (try? request.check(against: model)) != nil, exchange.lease.takePlaceAtOnce(),
            let body = try? ChatCompletionBuilder.build(
                echoes.recall(request, for: model, client: client), model: model, adjustments: upstream.learned.adjustments(for: model))
        else { return nil }
        exchange.record.noteQuestion(request.messages.last { $0.role == .user }?.content.string ?? "")
        exchange.record.note(model)
        let use = running.use(model, keepAlive: request.keepAlive, numCtx: request.options.numCtx)
        var settings = settings(request, model, exchange, hasPictures: false)
        settle(&settings, request, model, body, transcript)
        let log = AnswerLog(exchange: exchange, model: model, facts: [])
        return ReadyRequest(
            fetch: upstream.request(body, to: model), body: body, settings: settings, isStream: request.stream,
            provider: model.provider.name, transcript: transcript, log: log,
            remember: remembering(request, settings.keeps, log, holding: use))
    }
}
