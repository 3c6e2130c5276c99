import NIOCore
import NIOHTTP1
import Synchronization

/// Requests that a client sent without waiting for the answer to the one before.
///
/// They are let in one by one, each some time after the answer before it has ended. An event loop looks at its sockets only when it has no
/// work left, so a few clients with hundreds of requests in a packet would otherwise keep everyone else from being heard.
struct PipelinedRequests: ~Copyable {
    /// How many connections have such requests waiting.
    private static let connections = Atomic(0)
    /// All of them together get one request in per this time, which leaves most of it to those who wait for their answers.
    private static let share = TimeAmount.milliseconds(2)

    /// Made only for clients that do this, which few do.
    private var parts: CircularBuffer<HTTPServerRequestPart>?
    /// When the next one was to be let in.
    private var due = NIODeadline.now()
    /// How late the last one was. A loop that is late had no time to look at its sockets.
    private var lag = TimeAmount.zero

    deinit { if parts != nil { Self.connections.subtract(1, ordering: .relaxed) } }

    var isEmpty: Bool { parts == nil }

    /// When the next one may be let in, if the answer to the one before has just ended.
    mutating func nextTime() -> NIODeadline {
        due = .now() + Self.share * max(1, Self.connections.load(ordering: .relaxed)) + lag * 2
        return due
    }

    mutating func append(_ part: HTTPServerRequestPart) {
        if parts == nil {
            parts = CircularBuffer()
            Self.connections.add(1, ordering: .relaxed)
        }
        parts?.append(part)
    }

    /// What is here of the next request.
    mutating func takeNext() -> [HTTPServerRequestPart] {
        lag = max(.zero, .now() - due)
        var request: [HTTPServerRequestPart] = []
        while let part = parts?.popFirst() {
            request.append(part)
            if case .end = part { break }
        }
        if parts?.isEmpty == true {
            parts = nil
            Self.connections.subtract(1, ordering: .relaxed)
        }
        return request
    }
}
