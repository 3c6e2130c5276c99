import Translate

/// Tells metrics, audit and budgets of every request, once.
struct RequestObserver: Sendable {
    /// What stands in for a status when the client left before its answer was whole, as nginx has it.
    static let clientLeft = 499

    let metrics: BridgeMetrics
    let audit: AuditLog?
    let keepsText: Bool
    let budgets: Budgets?

    func ended(_ exchange: Exchange, status: Int) {
        let now = Clock.now()
        let facts = exchange.record.facts
        metrics.requestEnded(facts, status: status, nanoseconds: now.since(exchange.received))
        budgets?.spend(exchange.clientName, tokens: facts.promptTokens + facts.answerTokens)
        audit?.write(AuditEvent.line(exchange, facts, status: status, now: now))
    }
}

extension OpenAIFailure {
    /// For who was at fault.
    var asOllama: OllamaFailure { OllamaFailure(status: status, error: message, code: code, retryAfter: retryAfter) }
}
