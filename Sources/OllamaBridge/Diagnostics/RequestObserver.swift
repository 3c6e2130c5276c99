import Translate

/// Tells metrics, audit and budgets of every request, once.
struct RequestObserver: Sendable {
    /// What stands in for a status when the client left before its answer was whole, as nginx has it.
    static let clientLeft = 499

    let metrics: BridgeMetrics
    let audit: AuditLog?
    let keepsText: Bool
    let budgets: Budgets?

    /// - Parameters:
    ///   - client: The name of its key.
    ///   - id: As on the log's lines.
    func ended(_ exchange: Exchange, client: String?, status: Int, id: String) {
        let now = Clock.now()
        let facts = exchange.record.facts
        metrics.requestEnded(facts, status: status, nanoseconds: now.since(exchange.received))
        budgets?.spend(client, tokens: facts.promptTokens + facts.answerTokens)
        guard let audit else { return }
        var exchange = exchange
        exchange.clientName = client
        audit.write(AuditEvent.line(exchange, facts, status: status, id: id, now: now))
    }
}

extension OpenAIFailure {
    /// For who was at fault.
    var asOllama: OllamaFailure { OllamaFailure(status: status, error: message, code: code, retryAfter: retryAfter) }
}
