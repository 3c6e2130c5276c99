/// A port that is taken but has no listener: every connection is refused, and no other test can get the number.
public final class DeadPort: Sendable {
    /// The port, at 127.0.0.1.
    public let port: UInt16
    private let descriptor: CInt

    /// Takes a port.
    public init() throws {
        descriptor = Socket.stream()
        port = try Socket.bind(descriptor, address: "127.0.0.1", port: 0)
    }

    deinit {
        Socket.close(descriptor)
    }
}
