/// A JPEG of which nothing but metadata had to go, told by where its parts lie in the picture that came. A few hundred bytes, however large the picture.
public struct StrippedJPEG: Sendable, Hashable {
    /// What it consists of, in order; not empty.
    let kept: [JPEGStructure.Piece]
    public let report: ImageReport

    /// Behind that much metadata nearly nothing would be left to share.
    private static let longestHead = 1 << 20
    /// Bytes written at once. A multiple of three.
    private static let pieceBytes = 24 << 10

    /// The JPEG as base64.
    ///
    /// Behind the last piece of metadata it repeats the picture that came byte for byte. Three bytes are four characters, so the text that came can stand in
    /// for those bytes only if they have moved by a multiple of three; otherwise all of it is written anew.
    ///
    /// - Parameter text: The text that was looked at, or the same one again.
    public func base64(from text: ArraySlice<UInt8>) -> PictureBase64 {
        guard var source = JPEGText(text), case .bytes(let end)? = kept.last else { preconditionFailure("not the text that was looked at") }
        let count = report.bytes
        let start = count - end.count
        let first = (start + 2) / 3 * 3
        let groups = (count - first) / 3
        let characters = text.startIndex + (first + end.lowerBound - start) / 3 * 4
        guard (end.lowerBound - start).isMultiple(of: 3), groups > 0, start <= Self.longestHead, characters + groups * 4 <= text.endIndex
        else {
            return PictureBase64(head: written(0..<count, &source))
        }
        return PictureBase64(
            head: written(0..<first, &source), shared: text[characters..<(characters + groups * 4)],
            tail: written((first + groups * 3)..<count, &source))
    }

    private func written(_ range: Range<Int>, _ source: inout JPEGText) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(base64Length(ofByteCount: range.count))
        for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.pieceBytes) {
            text += Base64.encode(bytes(start..<min(start + Self.pieceBytes, range.upperBound), &source))
        }
        return text
    }

    /// - Parameter range: Which of the JPEG's bytes.
    private func bytes(_ range: Range<Int>, _ source: inout JPEGText) -> [UInt8] {
        var bytes: [UInt8] = []
        var start = 0
        for piece in kept {
            let part = range.clamped(to: start..<(start + piece.count))
            if !part.isEmpty {
                switch piece {
                case .bytes(let place):
                    let shift = place.lowerBound - start
                    bytes += source.part((part.lowerBound + shift)..<(part.upperBound + shift))
                case .jfif(let header): bytes += header[(part.lowerBound - start)..<(part.upperBound - start)]
                }
            }
            start += piece.count
        }
        return bytes
    }
}
