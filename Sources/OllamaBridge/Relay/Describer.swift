import Fetch
import Images
import Logging
import Translate

/// Captions a picture with a vision model, for models that see none.
struct Describer: Sendable {
    private static let prompt = "Describe this image in two or three plain sentences. Include any text that can be read in it."

    let catalog: CatalogStore
    let upstream: UpstreamCall
    private let cache = CaptionCache()

    init(catalog: CatalogStore, upstream: UpstreamCall) {
        self.catalog = catalog
        self.upstream = upstream
    }

    /// - Throws: `OllamaFailure` if the describing model is missing or fails.
    func caption(_ picture: PreparedPicture, by name: String, log: Logger) async throws -> String {
        let key = picture.digest.map { CaptionCache.Key(picture: $0, describer: name) }
        if let known = key.flatMap(cache.caption) { return known }
        let caption = try await ask(picture, name, log)
        if let key { cache.store(caption, for: key) }
        return caption
    }

    private func ask(_ picture: PreparedPicture, _ name: String, _ log: Logger) async throws -> String {
        let model = try catalog.require(name, for: .chat)
        let message = Message(role: .user, content: JSONText(Self.prompt), images: [.encoded([])])
        let request = InferenceRequest.describing(message, model: name)
        let failures = FailureContext(model: name)
        let answer = try await upstream.send(to: [model], failures: failures, log: log) { model, learned in
            try ChatCompletionBuilder.build(
                request, model: model, images: [[.jpeg(base64: picture.base64.pieces, detail: model.images.detail)]], adjustments: learned)
        }
        var collector = AnswerCollector(AnswerSettings(shape: .chat, model: name, requestReceived: Clock.now()))
        collector.begin(contentType: answer.reply.headers["Content-Type"])
        do {
            for try await piece in answer.reply.body { try collector.push(piece, at: Clock.now()) }
        } catch let error as FetchError {
            throw UpstreamCall.failure(error, failures)
        }
        let caption = try JSONParser.parse(collector.finish(at: Clock.now()))
        return caption.object?["message"]?.object?["content"]?.string ?? ""
    }
}

extension InferenceRequest {
    fileprivate static func describing(_ message: Message, model: String) -> InferenceRequest {
        var request = InferenceRequest(shape: .chat, model: model, messages: [message])
        request.stream = false
        return request
    }
}
