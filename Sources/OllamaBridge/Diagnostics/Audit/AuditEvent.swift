import HummingbirdCore
import Images
import Translate

/// One request as the audit file tells it. Never holds a picture, a picture's URL or a key.
enum AuditEvent {
    /// - Parameter now: When the last byte of the answer was written.
    static func line(_ exchange: Exchange, _ facts: RequestRecord.Facts, status: Int, now: AnswerMoment) -> [UInt8] {
        var event: JSONObject = [
            "time": .text(Clock.rfc3339(seconds: Int(now.seconds))), "id": .text(exchange.id),
            "route": .text(facts.route ?? String(exchange.request.uri.path.prefix(200))), "status": .integer(status),
            "milliseconds": .integer(Int(now.since(exchange.received) / 1_000_000)),
        ]
        event["client"] = exchange.clientName.map(JSONValue.text)
        event["model"] = facts.model.map(JSONValue.text)
        event["provider"] = facts.provider.map(JSONValue.text)
        if let firstToken = facts.firstToken { event["first_token_milliseconds"] = .integer(Int(firstToken / 1_000_000)) }
        if facts.model != nil {
            event["prompt_tokens"] = .integer(facts.promptTokens)
            event["answer_tokens"] = .integer(facts.answerTokens)
            if facts.tokensAreEstimated { event["tokens_estimated"] = true }
        }
        event["error"] = facts.failure.map { .text($0.summary(holdsTexts: exchange.record.keepsText)) }
        event["fault"] = Fault(status: status, failure: facts.failure).map { .text($0.rawValue) }
        if !facts.pictures.isEmpty { event["images"] = .array(facts.pictures.map(picture)) }
        event["question"] = facts.question.map(JSONValue.text)
        event["answer"] = facts.answer.map(JSONValue.text)
        return JSONWriter.bytes(.object(event))
    }

    private static func picture(_ fact: PictureFact) -> JSONValue {
        var object: JSONObject = ["from": .text(fact.kind), "outcome": .text(fact.outcome.name)]
        if case .sent(let report, let digest, _) = fact.outcome {
            object["sha256"] = digest.map { .text("\($0)") }
            object["format"] = .text(report.sourceFormat.rawValue)
            object["size"] = .text("\(report.sourceWidth)x\(report.sourceHeight)")
            object["sent_size"] = .text("\(report.width)x\(report.height)")
            object["sent_bytes"] = .integer(report.bytes)
            object["actions"] = .array(report.actions.map { .text($0.name) })
        }
        return .object(object)
    }
}
