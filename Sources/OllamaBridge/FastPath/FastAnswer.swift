import Fetch
import NIOCore
import Translate

/// The answer to one request of the fast path: takes what the upstream sends, has it translated, and writes it to the client, all on the
/// fetcher's thread. How a body is translated and written is said by the two kinds, ``FastStream`` and ``FastWhole``.
class FastAnswer: FetchReceiver {
    let connection: FastConnection
    let log: AnswerLog
    let transcript: TranscriptKeeper?
    let remember: @Sendable (AnswerSummary) -> Void
    /// When the event came that is being taken: one look at the clock for all that is done about it.
    private(set) var moment = Clock.now()
    /// When the request went to the upstream.
    let began: AnswerMoment
    private let provider: String
    private let failures: FailureContext
    /// What the upstream was sent, until it has taken it.
    private var sent: (url: String, body: UpstreamBody)?
    private var upstream: FetchExchange?
    /// What the client was told; nil as long as its answer is not whole.
    private var status: Int?
    private var progress = AnswerProgress.underWay
    /// Nothing that still comes matters.
    private var isOver = false
    /// Nothing comes any more.
    private var hasEnded = false
    /// Metrics, audit and budget know of it.
    private var isReported = false
    /// Made for an upstream that goes on although it has said all there is to say.
    private var patience: FetchTimer?

    /// How long the proper end of an answer that is whole is waited for: without it the connection could not be used again.
    private static let farewell = Duration.seconds(1)

    init(_ ready: ReadyRequest, _ connection: FastConnection) {
        self.connection = connection
        log = ready.log
        transcript = ready.transcript
        remember = ready.remember
        began = moment
        provider = ready.provider
        failures = ready.settings.failures
        sent = (ready.fetch.url, ready.body)
    }

    /// - Returns: Whether the request can be sent at all.
    func begin(_ request: FetchRequest, on thread: FetchThread) -> Bool {
        guard let upstream = try? thread.start(request, self) else { return false }
        self.upstream = upstream
        connection.client.whenCutShort { upstream.cancel() }
        return true
    }

    // MARK: What the kinds do

    /// The upstream's answer begins.
    func begin(contentType: String?) {}

    /// - Throws: What ends the answer.
    func take(_ bytes: Span<UInt8>) throws(OllamaFailure) -> AnswerProgress { .underWay }

    /// The upstream's end, a proper one, or long silence after all has been said.
    func takeEnd() throws(OllamaFailure) {}

    /// Tells the client of a failure, where and how that can still be done.
    ///
    /// - Returns: The answer's status.
    func tell(_ failure: OllamaFailure) -> Int {
        connection.send(
            ResponseBytes.whole(failure.body, status: failure.status, retryAfter: failure.retryAfter, closes: connection.willClose()))
        return failure.status
    }

    func noteLeft(_ facts: inout RequestRecord.Facts) {}

    // MARK: From the upstream

    func arrived(_ head: FetchHead?, _ bytes: Span<UInt8>) -> FetchReception {
        guard !isOver else { return .goOn }
        moment = Clock.now()
        if let head {
            guard (200..<300).contains(head.status) else { return handOn(head) }
            accepted(head)
        }
        if !bytes.isEmpty { advance(bytes) }
        return connection.isBlocked && !isOver ? .hold : .goOn
    }

    func ended(_ error: FetchError?) {
        hasEnded = true
        guard !isOver else { return stopWaiting() }
        moment = Clock.now()
        guard let error else {
            guard isAccepted else { return handOver(.failure(.closedEarly(detail: "the connection ended inside the headers"))) }
            return end()
        }
        switch error {
        case .cancelled where connection.client.isCutShort: fail(.shuttingDown)
        case .cancelled, .shutDown: connection.end()
        case _ where !isAccepted: handOver(.failure(error))
        case .closedEarly where progress == .awaitsOnlyTheEnd: end()
        default: if let failure = UpstreamCall.failure(error, failures) as? OllamaFailure { fail(failure) }
        }
    }

    private func accepted(_ head: FetchHead) {
        sent = nil
        connection.requestAccepted()
        log.exchange.lease.returnBody()
        connection.door.answered(by: provider, after: moment.since(began))
        begin(contentType: head.headers["Content-Type"])
    }

    private func advance(_ bytes: Span<UInt8>) {
        do {
            progress = try take(bytes)
            // Writing may have shown that the client has left.
            guard !isOver else { return }
            switch progress {
            case .underWay: break
            case .awaitsOnlyTheEnd: wait(for: StreamedAnswer.silenceAfterFinish)
            case .complete: finish(200)
            }
        } catch {
            fail(error)
        }
    }

    private func end() {
        do {
            try takeEnd()
        } catch {
            return fail(error)
        }
        finish(200)
    }

    private func wait(for time: Duration) {
        let timer = patience ?? FetchTimer { [unowned self] in hasWaited() }
        patience = timer
        connection.thread.set(timer, to: connection.thread.now + UInt64(time.components.seconds) * 1_000_000_000)
    }

    private func stopWaiting() {
        if let patience { connection.thread.stop(patience) }
    }

    private func hasWaited() {
        if !isOver {
            moment = Clock.now()
            end()
        }
        upstream?.cancel()
    }

    // MARK: The whole way

    /// Refusals are read, learnt from, retried and translated there.
    private func handOn(_ head: FetchHead) -> FetchReception {
        guard let upstream else { return .goOn }
        handOver(.success(upstream.reply(head)))
        return .handOn
    }

    private func handOver(_ attempt: Result<FetchReply, FetchError>) {
        isOver = true
        connection.client.whenCutShort(nil)
        log.exchange.lease.returnPlace()
        connection.handOver(sent.map { HeadStart(url: $0.url, body: $0.body, attempt: attempt) })
    }

    // MARK: To the client

    private func fail(_ failure: OllamaFailure) {
        guard !isOver else { return }
        log.exchange.record.note { $0.failure = failure }
        finish(tell(failure))
    }

    private func finish(_ status: Int) {
        guard !isOver else { return }
        self.status = status
        isOver = true
        connection.client.whenCutShort(nil)
        if hasEnded { stopWaiting() } else { wait(for: Self.farewell) }
        connection.answered()
    }

    /// The client has taken all there was.
    func clientCaughtUp() { upstream?.resume() }

    /// The client has the whole answer.
    func concluded() { report(status ?? RequestObserver.clientLeft) }

    /// The client has left.
    func abandon() {
        guard !isReported else { return }
        isOver = true
        stopWaiting()
        connection.client.whenCutShort(nil)
        upstream?.cancel()
        // What it has read counts: leaving before the end is no way round a budget.
        if isAccepted, status == nil { log.exchange.record.note { noteLeft(&$0) } }
        report(RequestObserver.clientLeft)
    }

    private func report(_ status: Int) {
        isReported = true
        log.exchange.lease.returnPlace()
        connection.door.front.observer?.ended(log.exchange, status: status)
    }

    /// Whether the upstream took the request, and its answer is passed on here.
    private var isAccepted: Bool { sent == nil }

    var isWantedByOthers: Bool { log.exchange.lease.isWantedByOthers }
}
