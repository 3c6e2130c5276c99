import Fetch
import Logging
import Translate

/// One request to an upstream: headers, retries, another member when one fails, and failures in words a client can read.
struct UpstreamCall: Sendable {
    let fetcher: Fetcher
    let learned: LearnedStore
    let health: ProviderHealth
    let requests: UpstreamRequests
    let retries: RetryPolicy

    /// An upstream's answer whose status is a success.
    struct Answer: Sendable {
        let reply: FetchReply
        let body: UpstreamBody
        /// The member of the model that answered.
        let model: ResolvedModel
        /// When the request went to it.
        let sent: AnswerMoment
    }

    /// Makes the body for one member; asked again when a refusal taught us something.
    typealias Build = (_ member: ResolvedModel, _ learned: LearnedAdjustments) async throws -> UpstreamBody

    /// The most of an error body that is read.
    private static let errorBodyBytes = 64 << 10

    /// Sends a request to the first of the members that answers.
    ///
    /// - Parameter headStart: Stands for the first attempt, if that is for the same.
    /// - Throws: `OllamaFailure`; `CancellationError` when the client has left; whatever `build` throws.
    func send(
        to members: [ResolvedModel], failures: FailureContext, log: Logger, headStart: HeadStart? = nil, build: Build
    ) async throws -> Answer {
        var last: OllamaFailure?
        for (index, member) in members.enumerated() {
            let isLast = index == members.count - 1
            // With a single upstream there is nothing to turn to, so its breaker only counts.
            guard members.count == 1 || health.admits(member.provider.name) else { continue }
            do {
                return try await send(to: member, failures: failures, log: log, headStart: headStart, build: build)
            } catch let failure as UpstreamFailure {
                last = failure.shown
                guard failure.isProvidersFault, !isLast else { throw failure.shown }
                log.notice(
                    "Turning to another upstream",
                    metadata: ["failed": "\(member.provider.name)", "error": "\(failure.shown.summary(in: log))"])
            }
        }
        let wait = health.secondsUntilProbe(members.map(\.provider.name))
        throw last ?? OllamaFailure(status: 503, error: "no model server is available for this model right now", retryAfter: wait)
    }

    private func send(
        to member: ResolvedModel, failures: FailureContext, log: Logger, headStart: HeadStart?, build: Build
    ) async throws -> Answer {
        let provider = member.provider.name
        let failures = failures.hiding(member.provider.secrets)
        var tried = 0
        while true {
            tried += 1
            let started = Clock.now()
            do {
                let answer = try await sendLearning(to: member, failures: failures, log: log, headStart: headStart, build: build)
                health.note(.answered(nanoseconds: Clock.now().since(started)), provider)
                return answer
            } catch let failure as UpstreamFailure {
                health.note(failure.isProvidersFault && failure.shown.status != 429 ? .failed : .inconclusive, provider)
                guard let pause = retries.pause(after: failure, tried: tried), health.takeRetry(provider) else { throw failure }
                log.notice(
                    "Trying the upstream again",
                    metadata: ["provider": "\(provider)", "tried": "\(tried)", "error": "\(failure.shown.summary(in: log))"])
                try await Task.sleep(for: pause)
            } catch {
                health.note(.inconclusive, provider)
                throw error
            }
        }
    }

    /// Drops or renames what the upstream refuses, as far as its refusal says what that is, and remembers it.
    private func sendLearning(
        to member: ResolvedModel, failures: FailureContext, log: Logger, headStart: HeadStart?, build: Build
    ) async throws -> Answer {
        var adjustments = learned.adjustments(for: member)
        var refused: (body: UpstreamBody, failure: UpstreamFailure)?
        var lessons: [LearnedAdjustments.Adjustment] = []
        // Each lesson concerns one parameter; two suffice for every provider seen.
        for lessonsLeft in [2, 1, 0] {
            let body = try await build(member, adjustments)
            // A lesson about messages changes nothing in a body that passes through.
            if let refused, refused.body == body { throw refused.failure }
            let sent = Clock.now()
            let reply = try await send(body, to: member, failures: failures, headStart: headStart)
            if (200..<300).contains(reply.status) {
                remember(lessons, of: member, log)
                return Answer(reply: reply, body: body, model: member, sent: sent)
            }
            let text = (try? await reply.body.collect(upTo: Self.errorBodyBytes)) ?? []
            let failure = Self.failure(reply, text, failures)
            let lesson = LearnedAdjustments.learn(status: reply.status, body: text, sent: body.parameters, values: body.values)
            if lessonsLeft > 0, let lesson {
                adjustments.apply(lesson)
                lessons.append(lesson)
                refused = (body, failure)
                continue
            }
            throw failure
        }
        throw UpstreamFailure(
            shown: OllamaFailure(status: 502, error: "model server refused the request in every form tried"), isWorthRetrying: false,
            isProvidersFault: true)
    }

    /// Only what helped: a word in a refusal can mislead.
    private func remember(_ lessons: [LearnedAdjustments.Adjustment], of member: ResolvedModel, _ log: Logger) {
        for lesson in lessons {
            learned.learn(lesson, for: member)
            log.notice(
                "The upstream refused a parameter; remembered", metadata: ["lesson": "\(lesson)", "provider": "\(member.provider.name)"])
        }
    }

    private func send(
        _ body: UpstreamBody, to member: ResolvedModel, failures: FailureContext, headStart: HeadStart?
    ) async throws -> FetchReply {
        let request = request(body, to: member)
        do {
            if let outcome = headStart?.outcome(of: request.url, body) { return try outcome.get() }
            return try await fetcher.send(request)
        } catch {
            guard let problem = TransportProblem(error) else { throw CancellationError() }
            // A request that may have reached the model is not sent again: it would be paid for twice.
            throw UpstreamFailure(
                shown: FailureMapping.failure(problem, context: failures), isWorthRetrying: error.happenedBeforeSending,
                isProvidersFault: true)
        }
    }

    /// The request as it goes on the wire.
    func request(_ body: UpstreamBody, to model: ResolvedModel) -> FetchRequest {
        requests.request(to: model.provider, path: body.path).with(body: body.pieces)
    }

    private static func failure(_ reply: FetchReply, _ text: [UInt8], _ failures: FailureContext) -> UpstreamFailure {
        let shown = FailureMapping.failure(
            status: reply.status, body: text, retryAfter: reply.headers["Retry-After"], now: Clock.now().seconds, context: failures)
        let isTransient = reply.status == 408 || reply.status == 429 || reply.status >= 500
        let isProvidersFault = isTransient || [401, 402, 403, 404].contains(reply.status) || (300..<400).contains(reply.status)
        return UpstreamFailure(shown: shown, isWorthRetrying: isTransient, isProvidersFault: isProvidersFault)
    }

    /// What a client reads when reading an answer failed.
    ///
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

extension FailureContext {
    /// The same with what must never be repeated to a client.
    fileprivate func hiding(_ secrets: [String]) -> FailureContext {
        var context = self
        context.secrets = secrets
        return context
    }
}
