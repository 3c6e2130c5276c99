/// How many bytes of base64 text, padding included, that many bytes take; the largest Int if that overflows.
public func base64Length(ofByteCount count: Int) -> Int {
    let (groups, overflow) = ((max(count, 0) + 2) / 3).multipliedReportingOverflow(by: 4)
    return overflow ? .max : groups
}

/// Base64 between byte arrays, with no string in between.
public enum Base64 {
    /// Encodes bytes in the standard alphabet with padding.
    public static func encode(_ bytes: [UInt8]) -> [UInt8] {
        []
    }

    /// Decodes what clients call base64: standard or URL-safe alphabet, with whitespace anywhere, with or without padding.
    ///
    /// - Returns: nil if anything else is in it, or if a single character is left over.
    public static func decodeLenient(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        nil
    }
}
