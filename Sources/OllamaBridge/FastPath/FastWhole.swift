import Translate

/// An answer with `"stream": false`: gathered, and written as one object.
final class FastWhole: FastAnswer {
    private var collector: AnswerCollector

    override init(_ ready: ReadyRequest, _ connection: FastConnection) {
        collector = AnswerCollector(ready.settings)
        super.init(ready, connection)
    }

    override var isComplete: Bool { collector.isComplete }
    override var awaitsOnlyTheEnd: Bool { collector.awaitsOnlyTheEnd }

    override func begin(contentType: String?) {
        collector.requestSent(at: moment)
        collector.begin(contentType: contentType)
    }

    override func take(_ bytes: Span<UInt8>) throws(OllamaFailure) {
        try collector.push(bytes, at: moment)
        if collector.isComplete { try takeEnd() }
    }

    override func takeEnd() throws(OllamaFailure) {
        let body = try collector.finish(at: moment)
        log.finished(collector.summary, nil)
        remember(collector.summary)
        transcript?.note(body)
        var passed = PassedAnswer(record: log.exchange.record, counts: .known)
        passed.push(body)
        passed.finish()
        transcript?.keep()
        connection.send(ResponseBytes.whole(body, closes: connection.willClose()))
    }
}
