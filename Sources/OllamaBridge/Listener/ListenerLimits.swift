import NIOCore

/// What clients may send, how long they may take, and how much of the machine they may hold together.
struct ListenerLimits: Sendable {
    /// Chats with pictures run to tens of megabytes.
    var bodyBytes = 100 * 1_000_000
    /// Our routes are short; the parser would take 16 KiB.
    var requestLineBytes = 8 << 10
    /// No client of these APIs needs more; a framework's megabytes per connection are a gift to whoever wants to fill memory.
    var headerBytes = 32 << 10
    var headerFieldBytes = 16 << 10
    var headerFields = 100
    /// From the connection's or the request's first moment to its last header, however the bytes trickle.
    var headerTime = TimeAmount.seconds(10)
    /// The longest silence within a body.
    var bodyIdle = TimeAmount.seconds(30)
    /// A body may take this long, and then must have come at ``bodyBytesPerSecond`` or more: a phone's upload is fine, a byte a second is not.
    var bodyGrace = TimeAmount.seconds(10)
    var bodyBytesPerSecond = 1024
    var bodyTime = TimeAmount.seconds(300)
    /// Longer than the pools of common clients keep a connection, so that they close first and no request meets a closing one.
    var keepAlive = TimeAmount.seconds(120)
    /// A client that takes nothing for this long is gone, whether it says so or not.
    var writeStall = TimeAmount.seconds(60)
    /// The same while other requests wait for a place.
    var crowdedWriteStall = TimeAmount.seconds(5)
    /// How long a refused upload is still read, so that the client sees the answer instead of a reset.
    var refusedBodyLinger = TimeAmount.seconds(1)
    /// Open connections; over it, those that have asked nothing make room.
    var connections = 1024
    /// Bodies held at once over all requests: the real cap on memory.
    var bodyBytesInFlight = 512 << 20
    /// Requests that occupy an upstream at once.
    var running = 512
    /// Requests that may wait for one of those to end (OLLAMA_MAX_QUEUE).
    var queue = 512

    /// Keeps bodies within a share of the memory there is: each is there up to three times while its pictures are worked on.
    mutating func fit(into memory: Int) {
        bodyBytesInFlight = min(bodyBytesInFlight, memory / 4)
        bodyBytes = min(bodyBytes, bodyBytesInFlight)
    }

    /// For the bridge's own demo upstream, whose only client is the bridge.
    static let loopback: ListenerLimits = {
        var limits = ListenerLimits()
        limits.connections = .max
        limits.bodyBytesInFlight = .max
        limits.running = .max
        limits.keepAlive = .hours(1)
        return limits
    }()
}
