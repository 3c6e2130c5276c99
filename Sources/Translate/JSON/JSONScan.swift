private import CBytes

/// Byte searches that the parsers spend their time in.
///
/// Eight bytes at a time in one machine word, and long runs in C (`CBytes`): the standard library's wide vectors compile to a call per lane here and are
/// ten times slower.
enum JSONScan {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let tops: UInt64 = 0x8080_8080_8080_8080

    /// A word whose lowest set bit is the top bit of the first byte that equals `byte`; 0 if none does.
    ///
    /// Bytes after that one may be marked falsely, which is why only the first counts.
    @inline(__always)
    private static func marks(_ word: UInt64, _ byte: UInt8) -> UInt64 {
        let difference = word ^ (ones &* UInt64(byte))
        return (difference &- ones) & ~difference
    }

    /// As ``marks(_:_:)``, for bytes below 0x20.
    @inline(__always)
    private static func controlMarks(_ word: UInt64) -> UInt64 {
        (word &- (ones &* 0x20)) & ~word
    }

    /// As ``marks(_:_:)``, for all bytes that end a run: quotes, backslashes, control characters.
    @inline(__always)
    private static func stopMarks(_ word: UInt64) -> UInt64 {
        marks(word, UInt8(ascii: "\"")) | marks(word, UInt8(ascii: "\\")) | controlMarks(word)
    }

    /// The run of bytes that stand for themselves in a JSON string: no quote, backslash or control character.
    ///
    /// - Returns: Where the run ends (at most `end`), and whether all of it is ASCII.
    static func plainRun(_ bytes: [UInt8], from start: Int, to end: Int) -> (end: Int, isASCII: Bool) {
        unsafe bytes.withUnsafeBytes { unsafe plainRun($0, from: start, to: min(end, $0.count)) }
    }

    /// As ``plainRun(_:from:to:)``, to the end of the bytes.
    @inline(__always)
    static func plainRun(_ bytes: Span<UInt8>, from start: Int) -> (end: Int, isASCII: Bool) {
        unsafe bytes.withUnsafeBytes { unsafe plainRun($0, from: start, to: $0.count) }
    }

    @inline(__always)
    private static func plainRun(_ buffer: UnsafeRawBufferPointer, from start: Int, to end: Int) -> (end: Int, isASCII: Bool) {
        var position = start
        var high: UInt64 = 0
        while position &+ 8 <= end {
            let word = UInt64(littleEndian: unsafe buffer.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            let stops = stopMarks(word) & tops
            if stops != 0 {
                let bits = stops.trailingZeroBitCount & ~7
                high |= word & ((1 &<< UInt64(bits)) &- 1)
                return (position &+ bits &>> 3, high & tops == 0)
            }
            high |= word
            position &+= 8
            // Keys and names have ended by now.
            if position &- start == 32, let base = buffer.baseAddress, end &- position >= 64 {
                var isHigh: Int32 = 0
                unsafe position &+= cb_plain_blocks((base + position).assumingMemoryBound(to: UInt8.self), end &- position, &isHigh)
                if isHigh != 0 { high = tops }
            }
        }
        while position < end {
            let byte = unsafe buffer[position]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { break }
            high |= UInt64(byte)
            position &+= 1
        }
        return (position, high & tops == 0)
    }

    /// Whether two runs of bytes are the same.
    static func equal(_ one: Span<UInt8>, _ other: Span<UInt8>) -> Bool {
        guard one.count == other.count else { return false }
        return unsafe one.withUnsafeBytes { one in
            unsafe other.withUnsafeBytes { other in
                var position = 0
                while position &+ 8 <= other.count {
                    let word = unsafe one.loadUnaligned(fromByteOffset: position, as: UInt64.self)
                    guard unsafe word == other.loadUnaligned(fromByteOffset: position, as: UInt64.self) else { return false }
                    position &+= 8
                }
                while position < other.count {
                    guard unsafe one[position] == other[position] else { return false }
                    position &+= 1
                }
                return true
            }
        }
    }

    /// Where a byte is first at or after `start`; the count of bytes if it is not there.
    static func index(of wanted: UInt8, _ bytes: Span<UInt8>, from start: Int) -> Int {
        unsafe bytes.withUnsafeBytes { buffer in
            var position = start
            while position &+ 8 <= buffer.count {
                let word = UInt64(littleEndian: unsafe buffer.loadUnaligned(fromByteOffset: position, as: UInt64.self))
                let found = marks(word, wanted) & tops
                if found != 0 { return position &+ found.trailingZeroBitCount &>> 3 }
                position &+= 8
            }
            while position < buffer.count, unsafe buffer[position] != wanted { position &+= 1 }
            return position
        }
    }

    /// Where the first LF or CR is at or after `start`; the count of bytes if there is none.
    static func lineEnd(_ bytes: Span<UInt8>, from start: Int) -> Int {
        unsafe bytes.withUnsafeBytes { buffer in
            var position = start
            while position &+ 8 <= buffer.count {
                let word = UInt64(littleEndian: unsafe buffer.loadUnaligned(fromByteOffset: position, as: UInt64.self))
                let stops = (marks(word, 0x0A) | marks(word, 0x0D)) & tops
                if stops != 0 { return position &+ stops.trailingZeroBitCount &>> 3 }
                position &+= 8
            }
            while position < buffer.count {
                let byte = unsafe buffer[position]
                if byte == 0x0A || byte == 0x0D { break }
                position &+= 1
            }
            return position
        }
    }
}
