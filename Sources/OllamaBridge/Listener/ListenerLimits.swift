import NIOCore

/// What a client may send and how long it may take.
struct ListenerLimits: Sendable {
    /// Chats with pictures run to tens of megabytes.
    var bodyBytes = 100 * 1_000_000
    /// No client of these APIs needs more; a framework's megabytes per connection are a gift to whoever wants to fill memory.
    var headerBytes = 32 << 10
    var headerFieldBytes = 16 << 10
    var headerFields = 100
    /// Longer than the pools of common clients keep a connection, so that they close first and no request meets a closing one.
    var keepAlive = TimeAmount.seconds(120)
    /// How long a refused upload is still read, so that the client sees the answer instead of a reset.
    var refusedBodyLinger = TimeAmount.seconds(1)
}
