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
    /// - Parameter text: Standard base64 (``Base64/Decoded/isStandard``) of the source; nil if it came otherwise.
    public func base64(sharing text: ArraySlice<UInt8>?) -> PictureBase64 {
        text.flatMap { text in
            commonEnd.flatMap { PictureBase64(jpeg.count, sharing: text, from: $0) { Array(jpeg[$0]) } }
        } ?? PictureBase64(head: Base64.encode(jpeg))
    }
}

extension PictureBase64 {
    /// Three bytes are four characters, so text can stand in for bytes only if they lie a multiple of three further on in the source.
    ///
    /// - Parameters:
    ///   - count: Bytes of the JPEG.
    ///   - text: Standard base64 of the source.
    ///   - bytes: Gives bytes of the JPEG: of its beginning, and the last few.
    /// - Returns: nil if nothing can be shared.
    init?(_ count: Int, sharing text: ArraySlice<UInt8>, from end: NormalizedImage.CommonEnd, _ bytes: (Range<Int>) -> [UInt8]) {
        let shift = end.sourceStart - end.start
        let first = (end.start + 2) / 3 * 3
        let groups = (count - first) / 3
        let start = text.startIndex + (first + shift) / 3 * 4
        guard shift.isMultiple(of: 3), groups > 0, start + groups * 4 <= text.endIndex else { return nil }
        self.init(
            head: Base64.encode(bytes(0..<first)), shared: text[start..<(start + groups * 4)],
            tail: Base64.encode(bytes((first + groups * 3)..<count)))
    }
}
