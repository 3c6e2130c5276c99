extension JSONCursor {
    /// Powers of ten that a Double holds exactly.
    private static let powers: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]

    /// Takes a number.
    ///
    /// - Returns: Its value to the precision of a Float and better; nil if there is none, or none of a Double's size.
    mutating func number(_ bytes: Span<UInt8>) -> Double? {
        guard peek(bytes) != nil else { return nil }
        let start = position
        guard skipNumber(bytes) else { return nil }
        return Self.quick(bytes, start..<position) ?? Self.slow(bytes, start..<position)
    }

    /// Takes a number that is nothing but digits.
    ///
    /// - Returns: Its value; nil if it is another number, or has more digits than counts have.
    mutating func digits(_ bytes: Span<UInt8>) -> Int? {
        guard peek(bytes) != nil else { return nil }
        let start = position
        guard skipNumber(bytes), position - start <= 15 else { return nil }
        var value = 0
        for index in start..<position {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }

    private static func slow(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
        let text = String(decoding: [UInt8](copying: bytes.extracting(range)), as: UTF8.self)
        guard let value = Double(text), value.isFinite else { return nil }
        return value
    }

    /// Up to 18 digits and a small exponent: one division instead of a call that takes as long as the rest of the vector.
    private static func quick(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Double? {
        var mantissa: UInt64 = 0
        var digits = 0
        var scale = 0
        var pastPoint = false
        var index = range.lowerBound
        let isNegative = bytes[index] == UInt8(ascii: "-")
        if isNegative { index += 1 }
        while index < range.upperBound {
            let byte = bytes[index]
            if byte == UInt8(ascii: ".") {
                pastPoint = true
            } else if byte | 0x20 == UInt8(ascii: "e") {
                guard let exponent = exponent(bytes, index + 1..<range.upperBound) else { return nil }
                scale -= exponent
                break
            } else {
                mantissa = mantissa &* 10 &+ UInt64(byte &- UInt8(ascii: "0"))
                if mantissa > 0 { digits += 1 }
                if pastPoint { scale += 1 }
            }
            index += 1
        }
        guard digits <= 18, (-22...22).contains(scale) else { return nil }
        let value = scale >= 0 ? Double(mantissa) / powers[scale] : Double(mantissa) * powers[-scale]
        return isNegative ? -value : value
    }

    private static func exponent(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        var value = 0
        var isNegative = false
        for index in range {
            switch bytes[index] {
            case UInt8(ascii: "-"): isNegative = true
            case UInt8(ascii: "+"): break
            default: value = value * 10 + Int(bytes[index] &- UInt8(ascii: "0"))
            }
            guard value < 1000 else { return nil }
        }
        return isNegative ? -value : value
    }
}
