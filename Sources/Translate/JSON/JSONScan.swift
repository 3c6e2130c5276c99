/// Byte searches that the parsers spend their time in.
enum JSONScan {
    /// The run of bytes that stand for themselves in a JSON string: no quote, backslash or control character.
    ///
    /// - Returns: Where the run ends (at most `end`), and whether all of it is ASCII.
    static func plainRun(_ bytes: [UInt8], from start: Int, to end: Int) -> (end: Int, isASCII: Bool) {
        var position = start
        var high: UInt8 = 0
        unsafe bytes.withUnsafeBufferPointer { buffer in
            var highLanes = SIMD32<UInt8>()
            while position &+ 32 <= end {
                let lanes = unsafe UnsafeRawPointer(buffer.baseAddress! + position).loadUnaligned(as: SIMD32<UInt8>.self)
                let stops = (lanes .== UInt8(ascii: "\"")) .| (lanes .== UInt8(ascii: "\\")) .| (lanes .< 0x20)
                if any(stops) { break }
                highLanes |= lanes
                position &+= 32
            }
            for lane in 0..<32 { high |= highLanes[lane] }
            while position < end {
                let byte = unsafe buffer[position]
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { break }
                high |= byte
                position &+= 1
            }
        }
        return (position, high < 0x80)
    }
}

extension JSONScan {
    /// Where the first LF or CR is at or after `start`; the count of bytes if there is none.
    static func lineEnd(_ bytes: Span<UInt8>, from start: Int) -> Int {
        unsafe bytes.withUnsafeBytes { buffer in
            var position = start
            while position &+ 32 <= buffer.count {
                let lanes = unsafe buffer.loadUnaligned(fromByteOffset: position, as: SIMD32<UInt8>.self)
                if any((lanes .== 0x0A) .| (lanes .== 0x0D)) { break }
                position &+= 32
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
