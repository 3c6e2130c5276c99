/// The blocks of a GIF up to its second frame.
struct GIFStructure {
    /// Size of the canvas in pixels, grown to hold the first frame where that reaches beyond it, as viewers do.
    let width: Int
    let height: Int
    private(set) var isAnimated = false

    init(walking bytes: [UInt8], limits: DecodeLimits) throws(ImageError) {
        guard let screenWidth = bytes.littleEndian16(at: 6), let screenHeight = bytes.littleEndian16(at: 8),
            let flags = bytes.byte(at: 10), bytes.count >= 13
        else { throw .broken("its data ends too early") }
        if screenWidth > 0 && screenHeight > 0 { try limits.check(width: screenWidth, height: screenHeight) }
        var walk = BlockWalk(bytes: bytes, position: 13 + Self.paletteBytes(flags))
        guard let frame = walk.nextFrame() else { throw .broken("it holds no whole picture") }
        guard frame.width > 0, frame.height > 0 else { throw .broken("the picture has no width or no height") }
        width = max(screenWidth, frame.x + frame.width)
        height = max(screenHeight, frame.y + frame.height)
        try limits.check(width: width, height: height)
        isAnimated = walk.nextFrame() != nil
    }

    private static func paletteBytes(_ flags: Int) -> Int {
        flags & 0x80 == 0 ? 0 : 3 << ((flags & 7) + 1)
    }

    private struct BlockWalk {
        let bytes: [UInt8]
        var position: Int

        /// Steps to behind the next image; nil if there is none.
        mutating func nextFrame() -> (x: Int, y: Int, width: Int, height: Int)? {
            while let kind = bytes.byte(at: position) {
                position += 1
                switch kind {
                case 0x21:
                    position += 1
                    skipSubBlocks()
                case 0x2C:
                    guard let x = bytes.littleEndian16(at: position), let y = bytes.littleEndian16(at: position + 2),
                        let width = bytes.littleEndian16(at: position + 4), let height = bytes.littleEndian16(at: position + 6),
                        let flags = bytes.byte(at: position + 8)
                    else { return nil }
                    position += 9 + GIFStructure.paletteBytes(flags) + 1
                    skipSubBlocks()
                    return (x, y, width, height)
                default:
                    return nil
                }
            }
            return nil
        }

        private mutating func skipSubBlocks() {
            while let length = bytes.byte(at: position) {
                position += 1 + length
                if length == 0 { return }
            }
        }
    }
}
