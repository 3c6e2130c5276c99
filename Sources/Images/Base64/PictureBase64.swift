/// A JPEG as base64 text in pieces. What it has in common with the text that the picture came as is not written again but referred to.
public struct PictureBase64: Sendable, Hashable {
    public let head: [UInt8]
    /// A part of the client's text; holds that text for as long as it lives.
    public let shared: ArraySlice<UInt8>
    public let tail: [UInt8]

    public init(head: [UInt8], shared: ArraySlice<UInt8> = [], tail: [UInt8] = []) {
        self.head = head
        self.shared = shared
        self.tail = tail
    }

    public var count: Int { head.count + shared.count + tail.count }
    /// The text in order.
    public var pieces: [ArraySlice<UInt8>] { [head[...], shared, tail[...]].filter { !$0.isEmpty } }
}

extension NormalizedImage {
    /// The end of a JPEG, where it repeats its source byte for byte.
    public struct CommonEnd: Sendable, Hashable {
        /// Where it begins in the JPEG.
        let start: Int
        /// Where it begins in the source.
        let sourceStart: Int
    }

    /// The JPEG as base64.
    ///
    /// Three bytes are four characters, so text can stand in for bytes only if they lie a multiple of three further on in the source.
    ///
    /// - Parameter text: Standard base64 (``Base64/Decoded/isStandard``) of the source; nil if it came otherwise.
    public func base64(sharing text: ArraySlice<UInt8>?) -> PictureBase64 {
        guard let text, let end = commonEnd, (end.sourceStart - end.start).isMultiple(of: 3) else {
            return PictureBase64(head: Base64.encode(jpeg))
        }
        let first = (end.start + 2) / 3 * 3
        let groups = (jpeg.count - first) / 3
        let start = text.startIndex + (first + end.sourceStart - end.start) / 3 * 4
        guard groups > 0, start + groups * 4 <= text.endIndex else { return PictureBase64(head: Base64.encode(jpeg)) }
        return PictureBase64(
            head: Base64.encode(Array(jpeg[..<first])), shared: text[start..<(start + groups * 4)],
            tail: Base64.encode(Array(jpeg[(first + groups * 3)...])))
    }
}
