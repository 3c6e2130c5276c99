import Foundation

/// A listener that never answers: its queue is full, so the system leaves every further connection waiting.
public final class FullListener: Sendable {
    /// The port it listens on.
    public let port: UInt16
    private let listener: CInt
    private let fillers: [CInt]

    /// Starts listening and fills the queue.
    public init() throws {
        let listener = Socket.stream()
        let port = try Socket.listen(listener, address: "127.0.0.1", port: 0, queue: 0)
        fillers = (0..<2).map { _ in Socket.connectWithoutWaiting(port: port) }
        self.listener = listener
        self.port = port
    }

    /// `http://127.0.0.1:PORT`
    public var url: String { "http://127.0.0.1:\(port)" }

    /// Ends it all.
    public func close() {
        for descriptor in fillers + [listener] { Socket.close(descriptor) }
    }
}
