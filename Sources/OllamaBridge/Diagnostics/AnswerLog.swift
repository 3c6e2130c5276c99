import Logging
import Translate

/// Writes the one line that sums up an answer, and what happened to each picture.
final class AnswerLog: Sendable {
    let exchange: Exchange
    let model: ResolvedModel
    private let facts: [PictureFact]

    init(exchange: Exchange, model: ResolvedModel, facts: [PictureFact]) {
        self.exchange = exchange
        self.model = model
        self.facts = facts
    }

    func finished(_ summary: AnswerSummary, _ failure: OllamaFailure?) {
        note(summary, failure)
        // The words cost more than the translation of a short answer; they are found only if somebody reads them.
        guard exchange.logLevel <= (failure == nil ? .info : .warning) else { return }
        var metadata: Logger.Metadata = [
            "model": "\(model.listedName)", "provider": "\(model.provider.name)",
            "prompt_tokens": "\(summary.promptTokens)", "answer_tokens": "\(summary.answerTokens)",
            "first_token_ms": "\((summary.loadDuration + summary.promptDuration) / 1_000_000)",
            "total_ms": "\(Clock.now().since(exchange.received) / 1_000_000)",
        ]
        if !facts.isEmpty { metadata["images"] = .array(PictureHeader.summaries(facts).map { "\($0)" }) }
        if let reason = summary.doneReason { metadata["done_reason"] = "\(reason)" }
        if let failure {
            metadata["error"] = "\(failure.summary(in: exchange.log))"
            exchange.log.warning("Answer broke off", metadata: metadata)
        } else {
            exchange.log.info("Answered", metadata: metadata)
        }
    }

    private func note(_ summary: AnswerSummary, _ failure: OllamaFailure?) {
        exchange.record.note { record in
            record.provider = model.provider.name
            record.promptTokens = summary.promptTokens
            record.answerTokens = summary.answerTokens
            record.tokensAreEstimated = summary.isEstimated
            record.firstToken = summary.deltas > 0 ? summary.loadDuration + summary.promptDuration : nil
            record.pictures = facts
            record.failure = failure
        }
    }
}

extension OllamaFailure {
    /// What a log may say of it: an upstream's own words, which may repeat what a user wrote, only where everything is told.
    func summary(in log: Logger) -> String { summary(holdsTexts: log.logLevel <= .debug) }
}
