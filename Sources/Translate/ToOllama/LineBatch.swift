/// Whole NDJSON lines, back to back, with their ends, so that each can be one write to the client.
///
/// Reuse one batch for a whole answer: ``removeAll()`` keeps the memory.
public struct LineBatch: Sendable {
    /// All lines; each ends in a newline.
    public internal(set) var bytes: [UInt8] = []
    /// Where each line ends in ``bytes``, newline included.
    public internal(set) var ends: [Int] = []

    /// An empty batch.
    public init() {}

    /// Whether there is no line.
    public var isEmpty: Bool { ends.isEmpty }
    /// How many lines there are.
    public var count: Int { ends.count }

    /// The bytes of one line with its newline.
    ///
    /// - Parameter index: 0 up to ``count``, exclusive.
    public func line(_ index: Int) -> ArraySlice<UInt8> {
        bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
    }

    /// Adds a failure as the one line that ends a stream whose header is out.
    public mutating func append(_ failure: OllamaFailure) {
        bytes += failure.body
        endLine()
    }

    /// Forgets the lines and keeps the memory.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
    }

    mutating func endLine() {
        bytes.append(0x0A)
        ends.append(bytes.count)
    }
}
