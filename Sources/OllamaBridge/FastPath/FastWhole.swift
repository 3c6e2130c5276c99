import Translate

/// An answer with `"stream": false`: gathered, and written as one object.
final class FastWhole: FastAnswer {
    private var collector: AnswerCollector

    override init(_ ready: ReadyRequest, _ connection: FastConnection) {
        collector = AnswerCollector(ready.settings)
        super.init(ready, connection)
    }

    override func begin(contentType: String?) {
        collector.requestSent(at: began)
        collector.begin(contentType: contentType)
    }

    override func take(_ bytes: Span<UInt8>) throws(OllamaFailure) -> AnswerProgress {
        let progress = try collector.push(bytes, at: moment)
        if progress == .complete { try takeEnd() }
        return progress
    }

    override func takeEnd() throws(OllamaFailure) {
        let body = try collector.finish(at: moment)
        let summary = collector.summary
        log.finished(summary, nil)
        remember(summary)
        transcript?.note(body)
        var passed = PassedAnswer(record: log.exchange.record, counts: .known)
        passed.push(body)
        passed.finish()
        transcript?.keep()
        connection.send(ResponseBytes.whole(body, closes: connection.willClose()))
    }
}
