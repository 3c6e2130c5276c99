/// Data URLs (RFC 2397) of any case and with any parameters; a declared media type never counts.
enum DataURL {
    /// - Returns: The base64 text: all of it if there is no `data:` in front, nil for a data URL that is not base64.
    static func payload(of text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard text.prefix(5).elementsEqual("data:".utf8, by: { $0 | 0x20 == $1 | 0x20 }) else { return text }
        guard let comma = text.prefix(longestHeader).firstIndex(of: UInt8(ascii: ",")) else { return nil }
        let header = text[text.startIndex..<comma]
        guard header.suffix(7).elementsEqual(";base64".utf8, by: { $0 | 0x20 == $1 | 0x20 }) else { return nil }
        return text[(comma + 1)...]
    }

    /// Media types and parameters are short; a comma further out is no data URL's.
    private static let longestHeader = 1024
}
