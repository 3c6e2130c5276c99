/// What a stream's chunks have in common around their text: from one to the next most upstreams change nothing else.
///
/// A chunk that has the same bytes before its text and behind it means the same, so that only the text has to be read.
struct ChunkFrame: Sendable {
    /// An upstream whose frames never come twice is not worth the copies.
    private static let patience = 8

    /// Up to the text, its opening quote included; empty before there is a frame.
    private var head: [UInt8] = []
    /// From the closing quote on.
    private var tail: [UInt8] = []
    private var kind = TextKind.content
    private var misses = 0

    /// Notes the frame of a chunk, if it can be that of others.
    mutating func note(_ chunk: UsualChunk, _ bytes: Span<UInt8>) {
        // A text that stands there twice is compared with itself.
        guard misses < Self.patience, chunk.isPlain else { return }
        misses += 1
        head.removeAll(keepingCapacity: true)
        head.append(copying: bytes.extracting(0..<chunk.text.range.lowerBound))
        tail.removeAll(keepingCapacity: true)
        tail.append(copying: bytes.extracting(chunk.text.range.upperBound..<bytes.count))
        kind = chunk.kind
    }

    /// The chunk, if it has this frame.
    mutating func chunk(_ bytes: Span<UInt8>) -> UsualChunk? {
        let end = bytes.count - tail.count
        guard !head.isEmpty, end > head.count, bytes.count <= UsualChunk.largest,
            JSONScan.equal(bytes.extracting(0..<head.count), head.span), JSONScan.equal(bytes.extracting(end..<bytes.count), tail.span)
        else { return nil }
        var cursor = JSONCursor(at: head.count - 1)
        guard let text = cursor.string(bytes), text.range.upperBound == end, !text.range.isEmpty else { return nil }
        misses = 0
        return UsualChunk(kind, text, bytes)
    }
}
