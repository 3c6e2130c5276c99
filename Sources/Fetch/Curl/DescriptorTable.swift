/// Values by file descriptor: small numbers that the system gives out lowest first, so that a place in a list finds what a dictionary would have
/// to hash for.
struct DescriptorTable<Value> {
    private var values: [Value?] = []

    subscript(descriptor: CInt) -> Value? { descriptor >= 0 && descriptor < values.count ? values[Int(descriptor)] : nil }

    /// Sets a value and returns the one before.
    mutating func replace(_ descriptor: CInt, with value: Value?) -> Value? {
        precondition(descriptor >= 0, "no descriptor is negative")
        if Int(descriptor) >= values.count {
            if value == nil { return nil }
            values.append(contentsOf: repeatElement(nil, count: Int(descriptor) + 1 - values.count))
        }
        defer { values[Int(descriptor)] = value }
        return values[Int(descriptor)]
    }

    mutating func removeAll() { values = [] }
}
