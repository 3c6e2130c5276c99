import Translate

/// HTTP/1.1's chunked coding (RFC 9112 §7.1), one chunk a line.
enum HTTPChunks {
    /// Ends the body.
    static let end: [UInt8] = Array("0\r\n\r\n".utf8)

    static func append(_ lines: LineBatch, to output: inout [UInt8]) {
        output.reserveCapacity(output.count + lines.bytes.count + lines.count * 10)
        var start = 0
        for end in lines.ends {
            appendHexadecimal(end - start, to: &output)
            output.append(0x0D)
            output.append(0x0A)
            output.append(contentsOf: lines.bytes[start..<end])
            output.append(0x0D)
            output.append(0x0A)
            start = end
        }
    }

    private static func appendHexadecimal(_ value: Int, to output: inout [UInt8]) {
        var shift = max(0, (Int.bitWidth - value.leadingZeroBitCount + 3) / 4 - 1) * 4
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: value >> shift & 0xF)
            output.append(digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10))
            shift -= 4
        }
    }
}
