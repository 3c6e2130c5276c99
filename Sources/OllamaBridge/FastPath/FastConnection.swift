import Fetch
import Glibc
import NIOCore

/// A client's connection as long as it asks for nothing but small chats; then it is the server library's.
///
/// `@unchecked Sendable`: everything here is touched by the fetcher's thread alone; others only hold it to have that thread close it.
final class FastConnection: SocketWatcher, @unchecked Sendable {
    private enum Phase {
        /// Nothing has been asked yet.
        case fresh
        /// Between requests.
        case quiet
        /// A part of a request is here.
        case reading
        case answering
        /// The last answer is out; what still comes is thrown away until the client closes.
        case parting
        case over
    }

    /// How long the rest of a request is waited for. A client that takes longer is the server library's, with all its limits.
    private static let patience: UInt64 = 250_000_000
    /// All connections wait while one is read.
    private static let mostReadsParting = 64

    let client = ClientConnection()
    let thread: FetchThread
    let door: FastDoor
    private let socket: CInt
    let scratch: FastScratch
    private var phase = Phase.fresh
    private var since: UInt64
    /// Of the request that is being read, or whose upstream has not answered yet.
    private var bytes: [UInt8] = []
    private var answer: FastAnswer?
    /// What the client has not taken yet.
    private var unsent: ArraySlice<UInt8> = []
    private var lastProgress: UInt64 = 0
    /// The answer is whole, but for what is unsent.
    private var isAnswered = false
    /// The answer said that it is the last.
    private var isClosing = false
    /// Something has happened on the socket that nobody has looked at.
    private var hasNews = false
    private lazy var timer = FetchTimer { [unowned self] in timeIsUp() }

    static func serve(_ socket: CInt, _ thread: FetchThread, _ door: FastDoor, _ scratch: FastScratch) {
        let connection = FastConnection(socket, thread, door, scratch)
        guard door.connections.admit(connection.client) else {
            close(socket)
            return
        }
        guard thread.watch(socket, connection) else { return connection.end() }
        connection.client.attach(closingBy: { [weak connection] in
            door.perform { _ in connection?.end() }
        })
        thread.set(connection.timer, to: thread.now + door.front.limits.headerTime.unsigned)
    }

    private init(_ socket: CInt, _ thread: FetchThread, _ door: FastDoor, _ scratch: FastScratch) {
        self.socket = socket
        self.thread = thread
        self.door = door
        self.scratch = scratch
        since = thread.now
    }

    // MARK: From the client

    func becameReady(isWritable: Bool, hasEnded: Bool) {
        switch phase {
        case .fresh, .quiet, .reading: read(isLast: hasEnded)
        case .answering:
            // As for Ollama, who ends its side has left.
            if hasEnded { return end() }
            hasNews = true
            if isWritable { flush() }
        case .parting:
            for _ in 0..<Self.mostReadsParting {
                guard case .bytes = scratch.read(from: socket) else { return hasEnded ? end() : () }
            }
            // Whoever sends that much at once does not read.
            end()
        case .over: break
        }
    }

    /// - Parameter isLast: The client has ended its side.
    private func read(isLast: Bool) {
        switch scratch.read(from: socket) {
        case .nothing: return
        case .ended: return end()
        case .bytes(let new): if bytes.isEmpty { bytes = new } else { bytes += new }
        }
        // The answer may let go of the property while its bytes are still being read.
        let bytes = bytes
        guard !isLast, bytes.count <= PlainRequest.longest else { return handOver() }
        switch PlainRequest.read(bytes.span) {
        case .other: handOver()
        case .incomplete:
            guard phase != .reading else { return }
            phase = .reading
            thread.set(timer, to: thread.now + Self.patience)
        case .whole(let request):
            client.requestBegan(awaitsContinue: false)
            guard let answer = door.begin(request, bytes, for: self) else { return handOver() }
            // libcurl may have refused at once, and the connection been handed over for it.
            guard !isOver else { return }
            self.answer = answer
            phase = .answering
        }
    }

    /// Gives the connection to the server library.
    ///
    /// - Parameter headStart: What has been done for the request.
    func handOver(_ headStart: HeadStart? = nil) {
        phase = .over
        answer = nil
        thread.stop(timer)
        thread.forget(socket)
        client.detach()
        if let headStart { client.handOver(headStart) }
        door.whole.adopt(socket, client, after: bytes)
        bytes = []
    }

    /// The request will not have to be read again.
    func requestAccepted() { bytes = [] }

    // MARK: To the client

    /// Whether the client has to take something before it gets more.
    var isBlocked: Bool { !unsent.isEmpty }

    /// Whether nobody is there any more.
    var isOver: Bool { phase == .over }

    /// Whether the answer that begins now has to say that it is the last.
    func willClose() -> Bool {
        isClosing = client.isClosing
        return isClosing
    }

    func send(_ new: [UInt8]) {
        // The descriptor may be another client's by now.
        guard !isOver else { return }
        guard unsent.isEmpty else {
            unsent += new
            return
        }
        unsent = new[...]
        lastProgress = thread.now
        write()
        guard isBlocked, !isOver else { return }
        thread.watchWriting(socket, true)
        thread.set(timer, to: thread.now + stallLook)
    }

    private func flush() {
        guard isBlocked else { return }
        write()
        guard !isBlocked, !isOver else { return }
        thread.watchWriting(socket, false)
        if isAnswered { conclude() } else { answer?.clientCaughtUp() }
    }

    private func write() {
        while !unsent.isEmpty {
            let count = unsafe unsent.withUnsafeBytes {
                unsafe Glibc.send(socket, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL | MSG_DONTWAIT))
            }
            if count > 0 {
                lastProgress = thread.now
                unsent = count == unsent.count ? [] : unsent.dropFirst(count)
            } else if errno == EAGAIN {
                return
            } else if errno != EINTR {
                return end()
            }
        }
    }

    /// The answer is whole. It is over once the client has it.
    func answered() {
        isAnswered = true
        if !isBlocked, !isOver { conclude() }
    }

    private func conclude() {
        answer?.concluded()
        answer = nil
        isAnswered = false
        since = thread.now
        client.answerEnded(at: .uptimeNanoseconds(since))
        if isClosing { return part() }
        phase = .quiet
        if hasNews {
            // Not here: the last bytes of an answer may come from within libcurl, which takes no new request there.
            thread.set(timer, to: since)
        } else if !timer.isSet {
            thread.set(timer, to: since + door.front.limits.keepAlive.unsigned)
        }
    }

    // MARK: The end

    /// Ends our side, and the rest when the client has ended its own: closing at once could reset the connection before the client has
    /// read the answer.
    private func part() {
        phase = .parting
        shutdown(socket, CInt(SHUT_WR))
        thread.set(timer, to: thread.now + door.front.limits.refusedBodyLinger.unsigned)
    }

    /// Closes the connection, whatever it is doing.
    func end() {
        guard phase != .over else { return }
        phase = .over
        answer?.abandon()
        answer = nil
        unsent = []
        thread.stop(timer)
        thread.forget(socket)
        close(socket)
        client.detach()
        door.connections.remove(client)
    }

    // MARK: Time

    private var stallLook: UInt64 { min(door.front.limits.writeStall.unsigned / 4, door.front.limits.crowdedWriteStall.unsigned / 2) }

    /// The timer is often left to fire early and looks again, so that the usual request costs no timer at all.
    private func timeIsUp() {
        let limits = door.front.limits
        switch phase {
        case .fresh: look(at: since + limits.headerTime.unsigned) { end() }
        case .quiet:
            if hasNews {
                hasNews = false
                read(isLast: false)
                if phase != .quiet || timer.isSet { return }
            }
            look(at: since + limits.keepAlive.unsigned) { end() }
        case .reading: handOver()
        case .answering:
            guard isBlocked else { return }
            let isInTheWay = answer?.isWantedByOthers ?? false
            let limit = isInTheWay ? min(limits.crowdedWriteStall, limits.writeStall) : limits.writeStall
            if lastProgress + limit.unsigned <= thread.now { return end() }
            thread.set(timer, to: thread.now + stallLook)
        case .parting: end()
        case .over: break
        }
    }

    private func look(at deadline: UInt64, _ act: () -> Void) {
        if deadline <= thread.now { act() } else { thread.set(timer, to: deadline) }
    }
}

extension TimeAmount {
    fileprivate var unsigned: UInt64 { UInt64(clamping: nanoseconds) }
}
