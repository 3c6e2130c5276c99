import CCurl

/// A transfer while libcurl works on it. Lives on the engine's thread only.
final class RunningTransfer: DeadlineHolder {
    private enum Phase { case connecting, sending, waiting, receiving }
    private static let flushAt = 64 * 1024
    private static let keptCapacity = 4 * 1024

    let transfer: Transfer
    let handle: EasyHandle
    unowned let loop: CurlLoop
    private let options: HeadOptions
    /// Whether libcurl asks for the body piece by piece.
    private let bodyIsRead: Bool
    private var body: RequestBody
    private var phase = Phase.connecting
    private let startedAt: UInt64
    private var phaseBegan: UInt64
    private var writtenAt: UInt64?
    private var firstByteAt: UInt64?
    private var attempts = 0
    private var attemptBegan: UInt64 = 0
    /// Whether the peer can have acted on the last attempt. Stays true when that cannot be told.
    private var mayHaveBeenActedOn = true
    private var head = ResponseHead()
    private var received = 0
    /// The head and the bytes that have come since the last flush.
    private var arrivedHead: FetchHead?
    private var incoming: [UInt8] = []
    private var isTouched = false
    private var isHeld = false
    private var isPaused = false

    var deadline: UInt64 = 0
    var heapIndex = -1
    /// The socket that libcurl last named for this transfer; -1 before the first.
    var socket: CInt = -1
    /// Every socket that was opened for this transfer.
    var dialled: [(descriptor: CInt, identity: UInt64)] = []
    /// Set where a callback stops the transfer; says more than libcurl's code.
    private(set) var failure: FetchError?

    /// Takes what arrives in the place of the transfer's reader.
    private var receiver: (any FetchReceiver)?

    /// - Throws: What is wrong with the request.
    init(
        _ transfer: Transfer, _ request: FetchRequest, receiver: (any FetchReceiver)?, handle: EasyHandle, loop: CurlLoop
    ) throws(FetchError) {
        self.receiver = receiver
        (options, bodyIsRead) = try handle.set(request)
        self.transfer = transfer
        self.handle = handle
        self.loop = loop
        body = RequestBody(bodyIsRead ? request.body : [])
        startedAt = loop.now
        phaseBegan = loop.now
        head.hasBody = options.expectsBody
        handle.user = self
    }

    private var limits: HeadOptions.Limits { options.limits }

    /// Whether libcurl remembers more of this exchange than the next one on its handle should find.
    var hasLeftTraces: Bool { attempts != 1 || bodyIsRead }

    var isPlain: Bool { options.isPlain }

    // MARK: Time

    /// When this transfer has to be looked at next, as things stand.
    var nextDeadline: UInt64 {
        let end = limits.total.map { later(startedAt, by: $0) } ?? .max
        let phaseEnd =
            switch phase {
            case .connecting: later(phaseBegan, by: limits.connect)
            case .waiting: later(phaseBegan, by: limits.firstByte)
            case .sending: later(phaseBegan, by: limits.idle)
            // The reader is the slow one; that is no fault of the peer's.
            case .receiving: isHeld ? .max : later(phaseBegan, by: limits.idle)
            }
        return min(end, phaseEnd)
    }

    /// Which limit it is whose time has come.
    var expiredPhase: FetchPhase {
        if let total = limits.total, later(startedAt, by: total) <= loop.now { return .total }
        switch phase {
        case .connecting: return .connecting
        case .sending, .waiting: return .firstByte
        case .receiving: return .idle
        }
    }

    private func enter(_ phase: Phase) {
        self.phase = phase
        phaseBegan = loop.now
        loop.scheduleDeadline(of: self)
    }

    // MARK: Towards the reader

    /// Hands on what has come since the last time.
    func flush() {
        isTouched = false
        guard arrivedHead != nil || !incoming.isEmpty, !hasReceived() else { return }
        isHeld = transfer.arrived(takeHead(), takeIncoming())
    }

    /// Hands what has come to the receiver; false if there is none, or if it wants no more.
    private func hasReceived() -> Bool {
        guard let receiver else { return false }
        let head = takeHead()
        var bytes = takeIncoming()
        switch receiver.arrived(head, bytes.span) {
        case .goOn: isHeld = false
        case .hold: isHeld = true
        case .handOn:
            self.receiver = nil
            (arrivedHead, incoming) = (head, bytes)
            return false
        }
        // A stream brings pieces of one size; a large one does not come twice.
        bytes.removeAll(keepingCapacity: bytes.count <= Self.keptCapacity)
        incoming = bytes
        return true
    }

    /// Hands on the rest and the end: properly if `error` is nil.
    func end(_ error: FetchError?) {
        if receiver != nil { flush() }
        // It may still be on the loop's list.
        isTouched = false
        transfer.ended(error, after: takeHead(), takeIncoming())
        receiver?.ended(error)
        receiver = nil
    }

    private func takeHead() -> FetchHead? {
        defer { arrivedHead = nil }
        return arrivedHead
    }

    private func takeIncoming() -> [UInt8] {
        var bytes: [UInt8] = []
        swap(&bytes, &incoming)
        return bytes
    }

    /// Has the loop call `flush` when libcurl is done with the socket.
    private func touch() {
        guard !isTouched else { return }
        isTouched = true
        loop.touched.append(self)
    }

    /// The reader has caught up.
    ///
    /// - Returns: Why the exchange is over, if it is. Outside its own rounds libcurl only says so; it neither ends the exchange nor names it
    ///   among those done.
    func resume() -> FetchError? {
        isHeld = false
        phaseBegan = loop.now
        loop.scheduleDeadline(of: self)
        guard isPaused else { return nil }
        isPaused = false
        // Delivers at once what libcurl had to keep, so our own callbacks run inside.
        let code = unsafe curl_easy_pause(handle.curl, CURLPAUSE_CONT)
        return code == CURLE_OK ? nil : failure ?? meaning(of: code)
    }

    /// What libcurl's code means for this transfer.
    func meaning(of code: CURLcode) -> FetchError {
        FetchError(code, words: handle.lastWords, hasDialled: socket >= 0 || !dialled.isEmpty)
    }

    // MARK: What libcurl calls

    /// Whether it matters what address a connection leads to.
    var looksAtAddresses: Bool { options.head.facts.addressGuard != nil }

    /// A connection is to be opened.
    func mayDial(_ address: IPAddress?, port: UInt16) -> Bool {
        guard let addressGuard = options.head.facts.addressGuard else { return true }
        if let address, addressGuard(address, port) { return true }
        failure = .addressRefused
        return false
    }

    /// A connection stands, new or not, and nothing of this attempt has been sent.
    func mayBegin(with address: IPAddress?, port: UInt16, localPort: UInt16) -> Bool {
        // One refused address refuses the whole name, even if libcurl went on to another one.
        guard failure == nil, mayDial(address, port: port) else { return false }
        attempts += 1
        if attempts > 1, !options.isSafeToRepeat, mayHaveBeenActedOn {
            failure = .closedEarly(detail: "the kept connection ended after the request was sent; it may have been acted on")
            return false
        }
        loop.connectionTaken(by: self, localPort: localPort)
        attemptBegan = loop.now
        mayHaveBeenActedOn = true
        if bodyIsRead {
            enter(.sending)
        } else {
            writtenAt = loop.now
            enter(.waiting)
        }
        return true
    }

    /// The connection in use ended. libcurl sends a request again by itself if a connection used before died without a byte of an answer;
    /// whether it may is decided by what is known here.
    ///
    /// - Parameters:
    ///   - confirmedMore: The peer's kernel confirmed bytes of this request. If it did not, nobody can have acted on them.
    ///   - wasReset: The peer cut the connection. A system does that when a program closes with bytes still unread, which is what a server
    ///     that gives up a resting connection looks like when our request has just come in. One that read the request and died closes in
    ///     order. Over TLS our own farewell can provoke the same, and after a while other causes are likelier, so there it proves nothing.
    func connectionEnded(confirmedMore: Bool, wasReset: Bool) {
        let wasUnread = wasReset && isPlain && loop.now - attemptBegan < 1_000_000_000
        mayHaveBeenActedOn = confirmedMore && !wasUnread
    }

    func provideBody(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = unsafe body.read(into: buffer)
        phaseBegan = loop.now
        if body.isAtEnd, phase == .sending {
            writtenAt = loop.now
            enter(.waiting)
        }
        return count
    }

    func rewindBody(to offset: Int) -> Bool {
        body.seek(to: offset)
    }

    func receiveHeaderLine(_ line: UnsafeRawBufferPointer) -> Bool {
        switch unsafe head.take(line) {
        case .more:
            return true
        case .tooLarge:
            failure = .tooLarge(limit: FetchLimits.maxHeaderBytes)
            return false
        case .malformed:
            failure = .protocolError(detail: "a malformed header line")
            return false
        case .statusLine(let isFinal):
            guard isFinal else { return true }
            firstByteAt = loop.now
            enter(.receiving)
            return true
        case .complete:
            return deliverHead()
        }
    }

    private func deliverHead() -> Bool {
        // The answer has begun, so the request will not be sent again.
        body = RequestBody([])
        if head.hasBody, let limit = limits.maxBodyBytes, let length = head.contentLength, length > limit {
            failure = .tooLarge(limit: limit)
            return false
        }
        let timings = FetchTimings(
            requestWritten: writtenAt.map { .nanoseconds(Int64($0 - startedAt)) },
            firstByte: .nanoseconds(Int64((firstByteAt ?? loop.now) - startedAt)),
            connectionReused: handle.info(CURLINFO_NUM_CONNECTS) == 0)
        arrivedHead = FetchHead(status: head.status, headers: head.fields, timings: timings)
        touch()
        return true
    }

    func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
        if isHeld {
            isPaused = true
            return Int(CURL_WRITEFUNC_PAUSE)
        }
        received += bytes.count
        if let limit = limits.maxBodyBytes, received > limit {
            failure = .tooLarge(limit: limit)
            return -1
        }
        phaseBegan = loop.now
        unsafe incoming.append(contentsOf: bytes)
        if incoming.count >= Self.flushAt {
            flush()
        } else {
            touch()
        }
        return bytes.count
    }
}

private func later(_ time: UInt64, by nanoseconds: UInt64) -> UInt64 {
    let (sum, overflow) = time.addingReportingOverflow(nanoseconds)
    return overflow ? .max : sum
}
