/// The chunks of a WebP file.
struct WebPStructure {
    /// Size of the canvas in pixels.
    let width: Int
    let height: Int
    private(set) var orientation = 1
    private(set) var profile: Range<Int>?
    private(set) var isAnimated = false
    /// What the decoder is given: the whole file, or the first frame's chunks of an animation.
    private(set) var payload: Range<Int>
    /// Where the first frame of an animation lies on the canvas.
    private(set) var x = 0
    private(set) var y = 0
    private(set) var frameWidth: Int
    private(set) var frameHeight: Int

    private static let cutOff = ImageError.broken("its data ends too early")
    private static let damaged = ImageError.broken("its header is damaged")

    /// Reads only the header.
    static func size(of bytes: [UInt8], limits: DecodeLimits) throws(ImageError) -> (width: Int, height: Int) {
        let size: (width: Int, height: Int)
        if bytes.spells("VP8X", at: 12) {
            guard let width = bytes.littleEndian24(at: 24), let height = bytes.littleEndian24(at: 27) else { throw cutOff }
            size = (width + 1, height + 1)
        } else if bytes.spells("VP8 ", at: 12) {
            guard let width = bytes.littleEndian16(at: 26), let height = bytes.littleEndian16(at: 28) else { throw cutOff }
            guard bytes[23] == 0x9D, bytes[24] == 0x01, bytes[25] == 0x2A else { throw damaged }
            size = (width & 0x3FFF, height & 0x3FFF)
        } else if bytes.spells("VP8L", at: 12) {
            guard let bits = bytes.littleEndian32(at: 21) else { throw cutOff }
            guard bytes[20] == 0x2F else { throw damaged }
            size = ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        } else {
            throw bytes.count < 16 ? cutOff : damaged
        }
        try limits.check(width: size.width, height: size.height)
        return size
    }

    init(walking bytes: [UInt8], limits: DecodeLimits) throws(ImageError) {
        (width, height) = try Self.size(of: bytes, limits: limits)
        (frameWidth, frameHeight) = (width, height)
        payload = 0..<bytes.count
        guard bytes.spells("VP8X", at: 12) else { return }
        isAnimated = bytes[20] & 0x02 != 0
        var sawFrame = false
        for chunk in Self.chunks(of: bytes, in: 12..<bytes.count) {
            switch chunk.name {
            case "ICCP" where profile == nil:
                profile = chunk.content
            case "EXIF":
                orientation = EXIFOrientation.read(bytes[chunk.content])
            case "ANMF" where !sawFrame:
                sawFrame = true
                if isAnimated { try firstFrame(bytes, chunk.content) }
            default:
                break
            }
        }
        if isAnimated && !sawFrame { throw Self.cutOff }
    }

    private mutating func firstFrame(_ bytes: [UInt8], _ content: Range<Int>) throws(ImageError) {
        let at = content.lowerBound
        guard content.count > 16, let x = bytes.littleEndian24(at: at), let y = bytes.littleEndian24(at: at + 3),
            let lessWidth = bytes.littleEndian24(at: at + 6), let lessHeight = bytes.littleEndian24(at: at + 9)
        else { throw Self.cutOff }
        (self.x, self.y) = (2 * x, 2 * y)
        (frameWidth, frameHeight) = (lessWidth + 1, lessHeight + 1)
        guard self.x + frameWidth <= width, self.y + frameHeight <= height else { throw Self.damaged }
        // The decoder takes a bare ALPH and VP8, or VP8L; unknown chunks may follow, none may come before.
        payload = (at + 16)..<content.upperBound
    }

    private struct Chunk {
        let name: String
        let content: Range<Int>
    }

    private static func chunks(of bytes: [UInt8], in range: Range<Int>) -> some Sequence<Chunk> {
        sequence(state: range.lowerBound) { position -> Chunk? in
            guard position + 8 <= range.upperBound, let length = bytes.littleEndian32(at: position + 4) else { return nil }
            let start = position + 8
            // The last chunk of a cut-off file is given as far as it goes; the decoder finds out what is missing.
            let content = start..<min(start + length, range.upperBound)
            let name = String(decoding: bytes[position..<(position + 4)], as: UTF8.self)
            position = start + length + (length & 1)
            return Chunk(name: name, content: content)
        }
    }
}
