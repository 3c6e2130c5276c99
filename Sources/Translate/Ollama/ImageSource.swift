/// One entry of an `images` array as the client gave it.
public enum ImageSource: Sendable, Equatable {
    /// Base64 or a data URL, still encoded: a slice of the request body. Decoding decides whether it is a picture.
    case encoded(ArraySlice<UInt8>)
    /// An http or https URL, to be fetched.
    case url(String)
    /// Known to be no picture without decoding anything.
    case faulty(ImageFault)
}

extension ImageSource {
    /// Sorts one entry by what it looks like; nothing is decoded.
    ///
    /// Base64 has no colon, so a scheme in front is certain. A path such as `/home/me/cat.png` cannot be told from base64 that
    /// cheaply (a JPEG's begins `/9j/`): it stays `encoded` and fails there.
    public init(_ value: JSONValue) {
        switch value {
        case .null: self = .faulty(.empty)
        case .string(let text): self.init(text: text.utf8)
        case .bool, .number, .array, .object: self = .faulty(.notText)
        }
    }

    /// Sorts the text of an entry, or of an `image_url` on `/v1`.
    public init(text: ArraySlice<UInt8>) {
        guard let first = text.firstIndex(where: { !Self.isBlank($0) }) else {
            self = .faulty(.empty)
            return
        }
        let trimmed = text[first...]
        switch Self.scheme(of: trimmed) {
        case nil, "data": self = .encoded(trimmed)
        case "http", "https":
            let end = trimmed.lastIndex { !Self.isBlank($0) } ?? first
            self = .url(String(decoding: trimmed[...end], as: UTF8.self))
        case .some: self = .faulty(.foreignReference)
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    /// The lower-case scheme if the text begins with one and a colon (RFC 3986: a letter, then letters, digits, `+`, `-`, `.`).
    private static func scheme(of text: ArraySlice<UInt8>) -> String? {
        let head = text.prefix(32)
        guard let colon = head.firstIndex(of: UInt8(ascii: ":")), colon > head.startIndex else { return nil }
        let name = String(decoding: head[..<colon], as: UTF8.self).lowercased()
        let letters = name.utf8
        guard let initial = letters.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(initial) else { return nil }
        let fits = letters.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                || [UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: ".")].contains($0)
        }
        return fits ? name : nil
    }
}
