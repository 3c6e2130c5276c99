private import CBytes

/// How many bytes of base64 text, padding included, that many bytes take; the largest Int if that overflows.
public func base64Length(ofByteCount count: Int) -> Int {
    let (groups, overflow) = ((max(count, 0) &+ 2) / 3).multipliedReportingOverflow(by: 4)
    return overflow || count > Int.max - 2 ? .max : groups
}

/// Base64 between byte arrays, with no string in between.
public enum Base64 {
    /// Encodes bytes in the standard alphabet with padding.
    public static func encode(_ bytes: [UInt8]) -> [UInt8] {
        let count = base64Length(ofByteCount: bytes.count)
        return unsafe [UInt8](unsafeUninitializedCapacity: count) { out, written in
            if !bytes.isEmpty { unsafe cb_base64_encode(bytes, bytes.count, out.baseAddress) }
            written = count
        }
    }

    /// What a text says, and whether it says so in the way ``encode(_:)`` would.
    public struct Decoded: Sendable {
        public let bytes: [UInt8]
        /// Neither whitespace nor the URL-safe alphabet is in it, but perhaps in a last group of fewer than four characters: its whole
        /// groups may stand in another text as they are.
        public let isStandard: Bool
    }

    /// Decodes what clients call base64: standard or URL-safe alphabet, with whitespace anywhere, with or without padding.
    ///
    /// Takes time linear in the text. Up to two `=` may follow the text; anything but whitespace behind them is an error.
    ///
    /// - Returns: nil if anything else is in it, or if a single character is left over.
    public static func decodeLenient(_ text: ArraySlice<UInt8>) -> Decoded? {
        if let whole = decodeWithoutWhitespace(text) { return whole }
        // Text wrapped at 76 columns, say: take the whitespace out once, then take the fast road.
        guard text.contains(where: isWhitespace) else { return nil }
        let dense = text.filter { !isWhitespace($0) }
        return decodeWithoutWhitespace(dense[...]).map { Decoded(bytes: $0.bytes, isStandard: false) }
    }

    /// How many bytes a text stands for if it is what ``decodeLenient(_:)`` takes.
    public static func decodedCount(_ text: ArraySlice<UInt8>) -> Int {
        text.reduce(0) { $0 + (isWhitespace($1) || $1 == UInt8(ascii: "=") ? 0 : 1) } * 3 / 4
    }

    private static func isWhitespace(_ character: UInt8) -> Bool {
        character == 0x20 || (0x09...0x0D).contains(character)
    }

    private static func decodeWithoutWhitespace(_ text: ArraySlice<UInt8>) -> Decoded? {
        var isValid = true
        var isURLSafe: Int32 = 0
        let result = unsafe [UInt8](unsafeUninitializedCapacity: text.count / 4 * 3 + 35) { out, written in
            let consumed = unsafe text.withUnsafeBufferPointer {
                unsafe cb_base64_decode_groups($0.baseAddress, $0.count, out.baseAddress, &isURLSafe)
            }
            written = consumed / 4 * 3
            let tail = text[(text.startIndex + consumed)...]
            guard let last = decodeTail(tail) else {
                isValid = false
                return
            }
            for byte in last {
                unsafe out[written] = byte
                written += 1
            }
        }
        return isValid ? Decoded(bytes: result, isStandard: isURLSafe == 0) : nil
    }

    /// The last group: at most four characters, perhaps padded.
    private static func decodeTail(_ tail: ArraySlice<UInt8>) -> [UInt8]? {
        guard tail.count <= 4 else { return nil }
        let padding = tail.reversed().prefix { $0 == 0x3D }.count
        let characters = Array(tail.dropLast(padding))
        guard padding <= 2, characters.count != 1, characters.count + padding <= 4 else { return nil }
        if characters.isEmpty { return padding == 0 ? [] : nil }
        var group = characters + Array(repeating: UInt8(ascii: "A"), count: 4 - characters.count)
        var bytes = Array(repeating: UInt8(0), count: 35)
        var isURLSafe: Int32 = 0
        guard unsafe cb_base64_decode_groups(&group, 4, &bytes, &isURLSafe) == 4 else { return nil }
        return Array(bytes.prefix(characters.count - 1))
    }
}
