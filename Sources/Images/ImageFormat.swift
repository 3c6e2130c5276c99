/// A picture format this target can read.
///
/// The format is decided by the first bytes alone; a file name or a declared media type never counts, because clients label
/// every picture `image/jpeg` or `image/png` whatever it is.
public enum ImageFormat: String, Sendable, Hashable, CaseIterable {
    case jpeg, png, webp, gif

    /// Reads the format from a picture's first bytes.
    ///
    /// - Returns: nil if the bytes begin like none of the four formats.
    public init?(startOf bytes: some Collection<UInt8>) {
        let head = Array(bytes.prefix(12))
        func begins(_ magic: [UInt8], at offset: Int = 0) -> Bool {
            head.count >= offset + magic.count && head[offset..<(offset + magic.count)].elementsEqual(magic)
        }
        if begins([0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if begins([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .png
        } else if begins(Array("RIFF".utf8)), begins(Array("WEBP".utf8), at: 8) {
            self = .webp
        } else if begins(Array("GIF87a".utf8)) || begins(Array("GIF89a".utf8)) {
            self = .gif
        } else {
            return nil
        }
    }
}
