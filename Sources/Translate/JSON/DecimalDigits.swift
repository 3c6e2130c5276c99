/// The digits of a number, without memory of their own.
struct DecimalDigits {
    /// From the last digit on.
    private var reversed = InlineArray<20, UInt8>(repeating: 0)
    /// From 1 to 20.
    private(set) var count = 0

    init(_ number: UInt64) {
        var rest = number
        repeat {
            reversed[count] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
            count += 1
        } while rest > 0
    }

    /// A digit's character; the first is at 0.
    subscript(index: Int) -> UInt8 { reversed[count - 1 - index] }
}
