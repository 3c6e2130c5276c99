import Fetch
import Logging
import Synchronization
import Translate

/// One request to an upstream: headers, retry without what it refuses, and failures in words a client can read.
struct UpstreamCall: Sendable {
    let fetcher: Fetcher
    let learned: LearnedStore
    let limits: FetchLimits

    /// The most of an error body that is read.
    private static let errorBodyBytes = 64 << 10

    /// Sends a request and returns the upstream's answer once it is a success.
    ///
    /// - Parameter build: Makes the body; asked again when a refusal taught us something.
    /// - Throws: `OllamaFailure`, or `CancellationError` when the client has left.
    func send(
        to model: ResolvedModel, failures: FailureContext, log: Logger,
        build: (LearnedAdjustments) throws(OllamaFailure) -> UpstreamBody
    ) async throws -> (reply: FetchReply, body: UpstreamBody) {
        var adjustments = learned.adjustments(for: model)
        // Each lesson drops or renames one parameter, so this ends; two suffice for every provider seen.
        for attempt in 0..<3 {
            let body = try build(adjustments)
            let reply = try await send(body, to: model, failures: failures)
            if (200..<300).contains(reply.status) { return (reply, body) }
            let text = (try? await reply.body.collect(upTo: Self.errorBodyBytes)) ?? []
            if attempt < 2, let lesson = LearnedAdjustments.learn(status: reply.status, body: text, sent: body.parameters) {
                adjustments.apply(lesson)
                learned.learn(lesson, for: model)
                log.notice("Upstream refused a parameter; trying without it", metadata: ["lesson": "\(lesson)", "provider": "\(model.provider.name)"])
                continue
            }
            throw FailureMapping.failure(
                status: reply.status, body: text, retryAfter: reply.headers["Retry-After"],
                now: Clock.now().seconds, context: failures)
        }
        throw OllamaFailure(status: 502, error: "model server refused the request in every form tried")
    }

    private func send(_ body: UpstreamBody, to model: ResolvedModel, failures: FailureContext) async throws -> FetchReply {
        var headers: [(name: String, value: String)] = [("Content-Type", "application/json"), ("Accept", "text/event-stream, application/json")]
        headers += Self.credentials(model.provider)
        let request = FetchRequest(
            method: "POST", url: model.provider.baseURL + body.path, headers: headers, body: body.pieces, limits: limits)
        do {
            return try await fetcher.send(request)
        } catch {
            throw Self.failure(error, failures)
        }
    }

    /// Keys go to the provider's own address and nowhere else.
    static func credentials(_ provider: Provider) -> [(name: String, value: String)] {
        provider.requestHeaders.map { (name: $0.name, value: $0.value.value) }
    }

    /// - Returns: `CancellationError` when the client has left.
    static func failure(_ error: FetchError, _ context: FailureContext) -> any Error {
        guard let problem = TransportProblem(error) else { return CancellationError() }
        return FailureMapping.failure(problem, context: context)
    }
}

extension TransportProblem {
    /// - Returns: nil if the exchange was cancelled from our side.
    init?(_ error: FetchError) {
        switch error {
        case .cancelled, .shutDown: return nil
        case .badURL, .badRequest: self = .badRequest
        case .couldNotResolve: self = .couldNotResolve
        case .couldNotConnect: self = .couldNotConnect
        case .tlsFailed: self = .tls
        case .addressRefused: self = .addressRefused
        case .timedOut(.idle): self = .fellSilent
        case .timedOut: self = .timedOut
        case .tooLarge: self = .tooLarge
        case .closedEarly: self = .closedEarly
        case .protocolError: self = .protocolError
        }
    }
}

/// What refusals taught, per model of each provider.
final class LearnedStore: Sendable {
    private let state = Mutex<[String: LearnedAdjustments]>([:])

    func adjustments(for model: ResolvedModel) -> LearnedAdjustments {
        state.withLock { $0[Self.key(model)] ?? LearnedAdjustments() }
    }

    func learn(_ lesson: LearnedAdjustments.Adjustment, for model: ResolvedModel) {
        state.withLock { $0[Self.key(model), default: LearnedAdjustments()].apply(lesson) }
    }

    private static func key(_ model: ResolvedModel) -> String { "\(model.provider.name)\u{0}\(model.upstreamID)" }
}
