/// The digits of a number, without memory of their own.
struct DecimalDigits {
    /// At the end.
    private var digits = InlineArray<20, UInt8>(repeating: 0)
    private var start = 20

    init(_ number: UInt64) {
        var rest = number
        repeat {
            start -= 1
            digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
    }

    /// From 1 to 20.
    var count: Int { 20 - start }

    /// A digit's character; the first is at 0.
    subscript(index: Int) -> UInt8 { digits[start + index] }

    func append(to output: inout [UInt8]) { output.append(copying: digits.span.extracting(start..<20)) }
}
