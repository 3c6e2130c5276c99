/// The chunks of a PNG that matter besides its pixels.
struct PNGStructure {
    /// Where the first frame lies when it is not the default image.
    struct Frame {
        let x: Int
        let y: Int
        let width: Int
        let height: Int
    }

    let width: Int
    let height: Int
    private(set) var orientation = 1
    private(set) var isAnimated = false
    /// Set if the animation leaves the default image out, so that its first frame lies in fdAT chunks.
    private(set) var separateFrame: Frame?
    private(set) var separateFrameData: [Range<Int>] = []
    /// Chunks before the pixels that a separate frame shares with the default image, with length and check sum.
    private(set) var sharedChunks: [Range<Int>] = []
    private var ihdr: Range<Int>

    /// Reads only the header.
    static func size(of bytes: [UInt8], limits: DecodeLimits) throws(ImageError) -> (width: Int, height: Int) {
        guard let width = bytes.bigEndian32(at: 16), let height = bytes.bigEndian32(at: 20), bytes.count >= 29 else {
            throw .broken("its data ends too early")
        }
        guard bytes.bigEndian32(at: 8) == 13, bytes.spells("IHDR", at: 12) else { throw .broken("its header is damaged") }
        try limits.check(width: width, height: height)
        return (width, height)
    }

    /// Walks the chunks; stops quietly where they end, because the decoder finds out what is missing.
    init(walking bytes: [UInt8], limits: DecodeLimits) throws(ImageError) {
        (width, height) = try Self.size(of: bytes, limits: limits)
        ihdr = 8..<33
        var position = 33
        var sawPixels = false
        var sawFrameControl = false
        while let length = bytes.bigEndian32(at: position), length <= bytes.count - position - 12 {
            let content = (position + 8)..<(position + 8 + length)
            let chunk = position..<(position + 12 + length)
            let name = bytes.bigEndian32(at: position + 4) ?? 0
            position = chunk.upperBound
            switch name {
            case Self.name("IDAT"):
                sawPixels = true
            case Self.name("IEND"):
                return
            case Self.name("eXIf"):
                orientation = EXIFOrientation.read(bytes[content])
            case Self.name("acTL"):
                isAnimated = true
            case Self.name("fcTL") where isAnimated && !sawFrameControl:
                sawFrameControl = true
                if sawPixels { separateFrame = frame(bytes, content) }
            case Self.name("fcTL"):
                if separateFrame != nil && separateFrameData.isEmpty { separateFrame = nil }
                sawFrameControl = true
                framesSeen += 1
            case Self.name("fdAT") where separateFrame != nil && framesSeen == 0 && length > 4:
                separateFrameData.append((content.lowerBound + 4)..<content.upperBound)
            case Self.name("PLTE"), Self.name("tRNS"), Self.name("gAMA"), Self.name("sRGB"), Self.name("iCCP"):
                if !sawPixels { sharedChunks.append(chunk) }
            default:
                break
            }
        }
    }

    private var framesSeen = 0

    private static func name(_ text: StaticString) -> Int {
        text.withUTF8Buffer { unsafe $0.reduce(0) { $0 << 8 | Int($1) } }
    }

    private func frame(_ bytes: [UInt8], _ content: Range<Int>) -> Frame? {
        let at = content.lowerBound
        guard content.count == 26, let frameWidth = bytes.bigEndian32(at: at + 4), let frameHeight = bytes.bigEndian32(at: at + 8),
            let x = bytes.bigEndian32(at: at + 12), let y = bytes.bigEndian32(at: at + 16)
        else { return nil }
        guard frameWidth > 0, frameHeight > 0, x + frameWidth <= width, y + frameHeight <= height else { return nil }
        return Frame(x: x, y: y, width: frameWidth, height: frameHeight)
    }

    /// Puts the separate first frame into a PNG of its own. Its check sums are left empty.
    func separateFramePNG(from bytes: [UInt8]) -> (png: [UInt8], frame: Frame)? {
        guard let separateFrame, !separateFrameData.isEmpty else { return nil }
        func big(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
        var png = Array(bytes[0..<16]) + big(separateFrame.width) + big(separateFrame.height) + bytes[24..<29] + [0, 0, 0, 0]
        for chunk in sharedChunks { png += bytes[chunk] }
        for data in separateFrameData { png += big(data.count) + Array("IDAT".utf8) + bytes[data] + [0, 0, 0, 0] }
        png += big(0) + Array("IEND".utf8) + [0, 0, 0, 0]
        return (png, separateFrame)
    }
}
