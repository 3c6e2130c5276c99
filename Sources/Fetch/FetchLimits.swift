/// How long each phase of a request may take and how much may come back.
public struct FetchLimits: Sendable, Hashable {
    /// Name lookup, TCP and TLS together.
    public var connect: Duration
    /// From the last byte of the request to the first line of the final response.
    public var firstByte: Duration
    /// The longest silence while bytes are due, in either direction. It restarts with every byte and rests while the reader is the slow one.
    public var idle: Duration
    /// The whole exchange; nil sets no such limit, which is right for streams: thinking has no honest upper bound.
    public var total: Duration?
    /// The largest body in bytes; nil takes any.
    public var maxBodyBytes: Int?

    /// The defaults suit a stream from a model that may have to be loaded first.
    public init(
        connect: Duration = .seconds(10),
        firstByte: Duration = .seconds(300),
        idle: Duration = .seconds(300),
        total: Duration? = nil,
        maxBodyBytes: Int? = nil
    ) {
        self.connect = connect
        self.firstByte = firstByte
        self.idle = idle
        self.total = total
        self.maxBodyBytes = maxBodyBytes
    }

    /// The most that status line and headers may take together. No honest peer needs more.
    public static let maxHeaderBytes = 64 * 1024
    /// Buffered bytes at which the peer is no longer read from. One burst of events fits.
    public static let highMark = 256 * 1024
    /// Buffered bytes at which reading goes on, so that the reader finds more when it comes back.
    public static let lowMark = 64 * 1024
}
