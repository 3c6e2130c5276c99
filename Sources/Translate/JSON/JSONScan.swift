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
