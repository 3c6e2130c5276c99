/// The pieces of a request's body and how far they have been handed over.
struct RequestBody {
    private let pieces: [ArraySlice<UInt8>]
    private var index = 0
    private var offset = 0

    init(_ pieces: [ArraySlice<UInt8>]) {
        self.pieces = pieces.filter { !$0.isEmpty }
    }

    var isAtEnd: Bool { index == pieces.count }

    /// Copies as much as fits; 0 only at the end.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        var filled = 0
        while filled < buffer.count, index < pieces.count {
            let count = min(buffer.count - filled, pieces[index].count - offset)
            unsafe pieces[index].withUnsafeBytes { piece in
                unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: piece[offset..<(offset + count)]))
            }
            filled += count
            offset += count
            if offset == pieces[index].count {
                index += 1
                offset = 0
            }
        }
        return filled
    }

    /// Goes back, or on, to a position in bytes. False if there is no such position.
    mutating func seek(to position: Int) -> Bool {
        guard position >= 0 else { return false }
        var left = position
        for (index, piece) in pieces.enumerated() {
            if left < piece.count {
                self.index = index
                offset = left
                return true
            }
            left -= piece.count
        }
        index = pieces.count
        offset = 0
        return left == 0
    }
}
