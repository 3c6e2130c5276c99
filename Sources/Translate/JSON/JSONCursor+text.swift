extension OptionSet where Element == Self {
    /// Whether a key is met for the first time.
    mutating func isFirst(_ key: Self) -> Bool { insert(key).inserted }
}

extension JSONCursor.Text {
    func isUTF8(in bytes: Span<UInt8>) -> Bool { isASCII || (try? UTF8Span(validating: bytes.extracting(range))) != nil }

    /// What the string says, with bytes that are no UTF-8 and halves of characters replaced.
    ///
    /// - Parameter bytes: Those that were stepped over. A string that stands for itself stays a slice of them.
    func value(of bytes: ArraySlice<UInt8>) -> JSONText? {
        let start = bytes.startIndex + range.lowerBound
        let end = bytes.startIndex + range.upperBound
        if !hasEscapes, isUTF8(in: bytes.span) { return JSONText(utf8: bytes[start..<end]) }
        guard case .string(let text)? = try? JSONParser.parse(Array(bytes[start - 1...end]), rule: .repair) else { return nil }
        return text
    }
}
