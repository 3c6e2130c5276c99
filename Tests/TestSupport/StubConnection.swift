import Foundation

/// One connection of a stub, on its own thread.
public final class StubConnection {
    /// Its number among the stub's connections, counted from 0.
    public let number: Int
    /// How many bytes have been sent so far.
    public private(set) var bytesSent = 0
    private let descriptor: CInt
    private unowned let stub: StubUpstream
    private var received: [UInt8] = []
    private var isClosed = false
    private var hasNotedClosing = false

    init(_ descriptor: CInt, number: Int, of stub: StubUpstream) {
        self.descriptor = descriptor
        self.number = number
        self.stub = stub
    }

    /// Plays one step.
    public func perform(_ step: StubStep) throws {
        switch step {
        case .request: _ = try readRequest()
        case .send(let text): try send(text)
        case .bytes(let bytes): try send(bytes)
        case .pieces(let pieces): for piece in pieces { try send(piece) }
        case .wait(let gate): try gate.wait()
        case .untilPeerCloses: waitForPeerClosing()
        case .endWriting: Socket.endWriting(descriptor)
        case .reset: reset()
        }
    }

    /// Reads one whole request, body included, and notes it.
    ///
    /// - Throws: `StubFailure.peerClosed` if there is none.
    @discardableResult
    public func readRequest() throws -> RecordedRequest {
        let head = try readHead()
        let request = RecordedRequest(head: head, connection: number, body: try readBody(of: head), time: .now)
        stub.requests.append(request)
        return request
    }

    /// Reads up to the blank line and no further.
    public func readHead() throws -> [UInt8] {
        let end = Array("\r\n\r\n".utf8)
        var searched = 0
        while true {
            if received.count >= end.count {
                for start in searched...(received.count - end.count) where received[start..<(start + 4)].elementsEqual(end) {
                    let head = Array(received[..<(start + 4)])
                    received.removeFirst(start + 4)
                    return head
                }
                searched = received.count - end.count + 1
            }
            try fill()
        }
    }

    /// Reads that many bytes of a body.
    public func read(_ count: Int) throws -> [UInt8] {
        while received.count < count { try fill() }
        defer { received.removeFirst(count) }
        return Array(received.prefix(count))
    }

    /// Sends text as it is.
    public func send(_ text: String) throws {
        try send(Array(text.utf8))
    }

    /// Sends bytes as they are; blocks for as long as the peer does not take them.
    public func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Socket.send(descriptor, rest)
            guard count > 0 else { throw StubFailure.peerClosed }
            bytesSent += count
            rest.removeFirst(count)
        }
    }

    /// Sends as much as the peer takes until it has taken nothing for the given time.
    ///
    /// - Returns: How many bytes it took.
    public func sendUntilStalled(_ piece: [UInt8], stallMilliseconds: CInt) throws -> Int {
        let before = bytesSent
        while Socket.waitUntilWritable(descriptor, milliseconds: stallMilliseconds) {
            let count = Socket.send(descriptor, piece[...], waiting: false)
            guard count > 0 else { throw StubFailure.peerClosed }
            bytesSent += count
        }
        return bytesSent - before
    }

    /// Waits until the peer has closed, throwing away what it still sends, and notes when that was.
    public func waitForPeerClosing() {
        while let bytes = Socket.receive(descriptor), !bytes.isEmpty {}
        noteClosing()
    }

    /// Waits until bytes have come, or the end, and leaves them unread.
    public func waitUntilReadable() {
        Socket.waitUntilReadable(descriptor)
    }

    /// Waits for a while, or until the peer has closed its side.
    ///
    /// - Returns: Whether it has.
    public func peerCloses(withinMilliseconds milliseconds: CInt) -> Bool {
        Socket.hasEnded(descriptor, withinMilliseconds: milliseconds)
    }

    /// Cuts the connection with a reset.
    public func reset() {
        Socket.resetOnClose(descriptor)
        close()
    }

    /// Closes the connection.
    public func close() {
        guard !isClosed else { return }
        isClosed = true
        Socket.close(descriptor)
    }

    func noteClosing() {
        guard !hasNotedClosing else { return }
        hasNotedClosing = true
        stub.closings.append(PeerClosing(connection: number, time: .now, bytesSent: bytesSent))
    }

    private func fill() throws {
        guard let bytes = Socket.receive(descriptor), !bytes.isEmpty else { throw StubFailure.peerClosed }
        received += bytes
    }

    private func readBody(of head: [UInt8]) throws -> [UInt8] {
        let fields = RecordedRequest.fields(of: head)
        if let length = fields.first(where: { $0.name.lowercased() == "content-length" }).flatMap({ Int($0.value) }) {
            return try read(length)
        }
        guard fields.contains(where: { $0.name.lowercased() == "transfer-encoding" }) else { return [] }
        var body: [UInt8] = []
        while true {
            let line = try readLine()
            guard let size = Int(line, radix: 16) else { throw StubFailure.notARequest }
            body += try read(size)
            _ = try readLine()
            if size == 0 { return body }
        }
    }

    private func readLine() throws -> String {
        while true {
            if let end = received.firstIndex(of: 0x0a) {
                defer { received.removeFirst(end + 1) }
                return String(decoding: received[..<end], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            }
            try fill()
        }
    }
}
