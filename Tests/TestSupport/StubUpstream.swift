import Foundation

/// A peer that does exactly what a test says: plain sockets, one thread for each connection, port chosen by the system.
///
/// It plays bytes, not HTTP: a cut in the middle of a character or a chunk is just another `send`.
public final class StubUpstream: Sendable {
    /// What every connection does; runs on a thread of its own and may block.
    public typealias Play = @Sendable (StubConnection) throws -> Void

    /// Every request that was read, in the order of their last bytes.
    public let requests = EventLog<RecordedRequest>()
    /// Every connection that was accepted, by its number.
    public let connections = EventLog<Int>()
    /// Every time a peer was seen to have closed its connection.
    public let closings = EventLog<PeerClosing>()
    /// The port it listens on, at 127.0.0.1 unless told otherwise.
    public let port: UInt16
    private let listener: CInt
    private let open = LockedValue<Set<CInt>>([])
    private let address: String
    private let socketPath: String?

    /// Starts listening.
    ///
    /// - Parameters:
    ///   - address: An IPv4 address of this machine.
    ///   - port: 0 lets the system choose.
    ///   - play: What each connection does.
    public init(address: String = "127.0.0.1", port: UInt16 = 0, _ play: @escaping Play) throws {
        self.address = address
        socketPath = nil
        listener = Socket.stream()
        self.port = try Socket.listen(listener, address: address, port: port)
        Thread.detachNewThread { [self] in acceptAll(play) }
    }

    /// Starts listening on a Unix socket, which `stop` removes.
    public init(unixSocket path: String, _ play: @escaping Play) throws {
        address = "localhost"
        port = 0
        socketPath = path
        listener = Socket.unixStream()
        try Socket.listen(listener, path: path)
        Thread.detachNewThread { [self] in acceptAll(play) }
    }

    /// Starts a stub whose connections all play the same steps and then close.
    public convenience init(_ steps: [StubStep]) throws {
        try self.init { connection in
            for step in steps { try connection.perform(step) }
        }
    }

    /// Starts a stub that answers request after request on connections that stay open.
    public static func answering(_ answer: @escaping @Sendable (RecordedRequest) -> [UInt8]) throws -> StubUpstream {
        try StubUpstream { connection in
            while true { try connection.send(answer(try connection.readRequest())) }
        }
    }

    /// `http://127.0.0.1:PORT`
    public var url: String { "http://\(address):\(port)" }

    /// Stops listening and cuts every connection.
    public func stop() {
        Socket.shutDown(listener)
        if let socketPath { unsafe unlink(socketPath) }
        open.withLock { $0.forEach(Socket.shutDown) }
    }

    private func acceptAll(_ play: @escaping Play) {
        defer { Socket.close(listener) }
        while let descriptor = Socket.accept(listener) {
            let number = connections.count
            open.withLock { _ = $0.insert(descriptor) }
            connections.append(number)
            Thread.detachNewThread { [self] in
                let connection = StubConnection(descriptor, number: number, of: self)
                do {
                    try play(connection)
                } catch StubFailure.peerClosed {
                    connection.noteClosing()
                } catch {
                    // The test sees it by what does not happen.
                }
                open.withLock { _ = $0.remove(descriptor) }
                connection.close()
            }
        }
    }
}

/// When a peer was seen to have closed.
public struct PeerClosing: Sendable {
    /// The connection's number, counted from 0.
    public let connection: Int
    /// When it was seen.
    public let time: ContinuousClock.Instant
    /// How many bytes had been sent to it.
    public let bytesSent: Int
}

/// One step of what a stub plays.
public enum StubStep: Sendable {
    /// Reads one whole request.
    case request
    /// Sends text as it is.
    case send(String)
    /// Sends bytes as they are.
    case bytes([UInt8])
    /// Sends each piece with a call of its own; with no delay on the socket that is a packet each.
    case pieces([[UInt8]])
    /// Waits until the test opens the gate.
    case wait(Gate)
    /// Waits until the peer has closed, and notes when that was.
    case untilPeerCloses
    /// Ends our side of the connection and leaves the other open.
    case endWriting
    /// Cuts the connection with a reset.
    case reset
}

/// What stops a stub's play.
public enum StubFailure: Error {
    /// The peer closed or cut the connection.
    case peerClosed
    /// What came is not a request.
    case notARequest
    /// The test never opened the gate.
    case gateStayedShut
    /// The system refused.
    case system(CInt)
}
