import Glibc
import NIOCore
import Synchronization
import Translate

/// A request's body, whole or as far as it has come.
struct RequestBytes: Sendable {
    private(set) var bytes: [UInt8] = []
    /// Looked for where somebody makes use of them, in bodies that may hold pictures.
    private(set) var stretches = PlainStretches()
    private let findsStretches: Bool

    /// - Parameter count: Bytes announced; nil if nobody says.
    init(announced count: Int? = 0, findsStretches: Bool = false) {
        bytes.reserveCapacity(count ?? 0)
        self.findsStretches = findsStretches && (count ?? .max) > RequestBodies.parsedOnEventLoop
    }

    mutating func append(_ buffer: ByteBuffer) {
        unsafe buffer.withUnsafeReadableBytes { unsafe bytes.append(contentsOf: $0) }
        if findsStretches { stretches.lookAt(bytes) }
    }

    /// Takes what has come on a socket.
    ///
    /// - Returns: How many bytes; 0 if none can be had now, for whatever reason.
    mutating func receive(atMost count: Int, from socket: CInt) -> Int {
        var received = 0
        bytes.append(addingCapacity: count) { space in
            unsafe space.withUnsafeMutableBufferPointer { buffer, initialized in
                guard let start = buffer.baseAddress else { return }
                let room = min(count, buffer.count - initialized)
                received = max(0, unsafe recv(socket, start + initialized, room, CInt(MSG_DONTWAIT)))
                initialized += received
            }
        }
        if received > 0, findsStretches { stretches.lookAt(bytes) }
        return received
    }
}

/// Takes the parts of a large body as they come, from the HTTP parser or from the socket. On their way through the tasks each would cost some
/// 30 µs more.
final class BodySink: Sendable {
    private enum Phase { case waiting, open, closed }

    private struct State {
        var phase = Phase.waiting
        var body = RequestBytes()
        /// Parts that came while those before them were still on their way.
        var waiting: [ByteBuffer] = []
    }

    private let state = Mutex(State())

    func take(_ part: ByteBuffer) {
        state.withLock { state in
            switch state.phase {
            case .waiting: state.waiting.append(part)
            case .open: state.body.append(part)
            case .closed: break
            }
        }
    }

    /// Takes what has come on a socket; nothing before the sink is open.
    ///
    /// - Returns: How many bytes; nil if they would be dropped.
    func receive(atMost count: Int, from socket: CInt) -> Int? {
        state.withLock { state in
            switch state.phase {
            case .waiting: 0
            case .open: state.body.receive(atMost: count, from: socket)
            case .closed: nil
            }
        }
    }

    /// - Parameter body: What of the body came by the usual way; empty afterwards, since two who hold several megabytes would each get their own.
    func open(behind body: inout RequestBytes) {
        state.withLock { state in
            swap(&state.body, &body)
            for part in state.waiting { state.body.append(part) }
            state.waiting = []
            state.phase = .open
        }
    }

    /// What has come. What still comes is dropped.
    @discardableResult
    func close() -> RequestBytes {
        state.withLock { state in
            defer { state = State(phase: .closed) }
            return state.body
        }
    }
}
