import Fetch
import HTTPTypes
import HummingbirdCore
import Logging
import Translate

/// `/api/embed` and the older `/api/embeddings`.
struct EmbedEndpoints: Sendable {
    let catalog: CatalogStore
    let running: RunningModels
    let upstream: UpstreamCall
    let chooser: RouteChooser
    let bodies: RequestBodies

    /// 2,048 vectors of 4,096 numbers as JSON.
    private static let answerBytes = 256 << 20

    func register(in routes: inout Routes) {
        routes.on(.post, at: "/api/embed") { try await answer($0, .embed) }
        routes.on(.post, at: "/api/embeddings") { try await answer($0, .embeddings) }
    }

    private func answer(_ exchange: Exchange, _ route: EmbedRequest.Route) async throws -> Response {
        let request = try await bodies.decode(exchange) { json throws(OllamaFailure) in try EmbedRequest.decode(json, route: route) }
        let model = try catalog.require(request.model, for: route == .embed ? .embed : .embeddings)
        let use = running.use(model, keepAlive: request.keepAlive, numCtx: nil)
        defer { withExtendedLifetime(use) {} }
        exchange.record.noteQuestion(request.inputs.map(\.string).joined(separator: "\n"))
        try await exchange.beginInference(model)
        let members = try chooser.members(of: model, needsVision: false, name: request.model)
        var failures = FailureContext(model: request.model)
        failures.isEmbedding = true
        // An error can come under a 200 as well, and quote a key all the same.
        failures.secrets = members.flatMap(\.provider.secrets)
        var answer = EmbeddingsAnswer(dimensions: request.dimensions, failures: failures)
        let sent = Clock.now()
        let inputBytes = request.inputs.reduce(0) { $0 + $1.utf8.count }
        for batch in EmbeddingsMapping.batches(request, members: members) {
            let reply = try await exchange.record.countingLeavers(promptBytes: inputBytes) {
                try await upstream.send(to: members, failures: failures, log: exchange.log) { model, learned in
                    EmbeddingsMapping.build(batch, of: request, model: model, adjustments: learned)
                }.reply
            }
            do {
                let bytes = try await reply.body.collect(upTo: Self.answerBytes)
                answer = try await aside(bytes.count) { [answer] in
                    var answer = answer
                    try answer.add(bytes, inputs: batch.count)
                    return answer
                }
            } catch let error as FetchError {
                throw UpstreamCall.failure(error, failures)
            }
        }
        exchange.record.note { [tokens = answer.tokens] facts in
            facts.promptTokens = max(1, tokens ?? inputBytes / 4)
            facts.tokensAreEstimated = tokens == nil
        }
        exchange.log.info("Embedded", metadata: ["model": "\(model.listedName)", "texts": "\(request.inputs.count)"])
        let body = try await aside(answer.size) { [answer, received = exchange.received] in
            switch route {
            case .embeddings: answer.embeddingsBody()
            case .embed:
                answer.embedBody(model: request.model, received: received, sent: sent, at: Clock.now(), inputBytes: inputBytes)
            }
        }
        return .json(body)
    }

    /// Does work on so many bytes; much of it where it holds up nobody's stream.
    private func aside<Value: Sendable>(_ bytes: Int, _ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        if bytes <= RequestBodies.parsedOnEventLoop { return try work() }
        return try await bodies.workers.run { _ in try work() }
    }
}
