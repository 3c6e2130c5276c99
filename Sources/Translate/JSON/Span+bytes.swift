extension Array where Element == UInt8 {
    /// A copy of the bytes.
    init(copying span: Span<UInt8>) {
        self = unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
    }

    /// Appends a copy of the bytes.
    mutating func append(copying span: Span<UInt8>) {
        unsafe span.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }
}

extension Span where Element == UInt8 {
    /// Whether these bytes begin with that text.
    func starts(with text: StaticString) -> Bool {
        let wanted = text.utf8CodeUnitCount
        guard count >= wanted else { return false }
        return text.withUTF8Buffer { buffer in
            for index in 0..<wanted where unsafe self[index] != buffer[index] { return false }
            return true
        }
    }
}
