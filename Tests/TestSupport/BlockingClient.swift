import Foundation

/// A client for crowds: one thread each, plain calls that block.
public final class BlockingClient {
    private let descriptor: CInt
    private var received: [UInt8] = []

    /// Connects to 127.0.0.1.
    public init(port: Int) throws {
        descriptor = try Socket.dial(port: UInt16(port), patienceSeconds: 120)
    }

    deinit { Socket.close(descriptor) }

    /// Sends text as it is.
    public func send(_ text: String) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = Socket.send(descriptor, rest)
            guard count > 0 else { throw StubFailure.peerClosed }
            rest.removeFirst(count)
        }
    }

    /// Reads one line without its end; nil when the peer has ended.
    public func line() -> String? {
        while true {
            if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
                defer { received.removeFirst(end + 1) }
                return String(decoding: received[..<end], as: UTF8.self)
            }
            guard let bytes = Socket.receive(descriptor), !bytes.isEmpty else { return nil }
            received += bytes
        }
    }

    /// Runs work on threads of its own and waits for all of it.
    public static func crowd(_ count: Int, _ work: @escaping @Sendable (Int) -> Void) async {
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<count {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        Thread.detachNewThread {
                            work(number)
                            continuation.resume()
                        }
                    }
                }
            }
        }
    }
}
