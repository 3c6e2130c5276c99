extension Array where Element == UInt8 {
    /// A copy of the bytes.
    init(copying span: Span<UInt8>) {
        self = unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
    }

    /// Appends a copy of the bytes.
    mutating func append(copying span: Span<UInt8>) {
        unsafe span.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// Appends a text that is in the program, without a String between.
    mutating func append(text: StaticString) {
        text.withUTF8Buffer { unsafe append(contentsOf: $0) }
    }

    /// Appends the digits of a number.
    mutating func append(decimal value: Int64) {
        if value < 0 { append(UInt8(ascii: "-")) }
        DecimalDigits(UInt64(value.magnitude)).append(to: &self)
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

    /// Whether a word stands anywhere among these bytes.
    ///
    /// A byte costs about a nanosecond; the standard library's searches take a hundred times as long.
    public func contains(_ word: Span<UInt8>) -> Bool {
        guard let last = word.isEmpty ? nil : count - word.count else { return true }
        var position = 0
        while position <= last {
            position = JSONScan.index(of: word[0], self, from: position)
            guard position <= last else { return false }
            if JSONScan.equal(extracting(position..<position + word.count), word) { return true }
            position += 1
        }
        return false
    }

    /// Whether these bytes are that text, in any case.
    ///
    /// - Parameter text: Lower-case ASCII.
    func equals(lowercase text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { buffer in
            for index in indices {
                let byte = self[index]
                let isCapital = byte &- UInt8(ascii: "A") < 26
                guard unsafe (isCapital ? byte | 0x20 : byte) == buffer[index] else { return false }
            }
            return true
        }
    }
}
