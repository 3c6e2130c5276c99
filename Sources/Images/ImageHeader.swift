/// What a picture's header says, read without decoding anything; cheap enough to decide admission by.
public struct ImageHeader: Sendable, Hashable {
    public let format: ImageFormat
    /// Width in pixels as stored; of the whole canvas where there is one.
    public let width: Int
    /// Height in pixels as stored; of the whole canvas where there is one.
    public let height: Int

    /// Pixels that decoding will produce.
    public var pixelCount: Int { width * height }

    /// Reads the header and checks it against the limits.
    ///
    /// - Throws: `ImageError`, if the bytes are no picture, the header is broken, or a limit is exceeded. Damage behind the header is not found here.
    public static func read(_ bytes: [UInt8], limits: DecodeLimits = .standard) throws(ImageError) -> ImageHeader {
        try limits.check(byteCount: bytes.count)
        guard let format = ImageFormat(startOf: bytes) else { throw .unsupportedFormat }
        let size: (width: Int, height: Int)
        switch format {
        case .jpeg: size = try JPEGStructure.size(of: bytes, limits: limits)
        case .png: size = try PNGStructure.size(of: bytes, limits: limits)
        case .webp: size = try WebPStructure.size(of: bytes, limits: limits)
        case .gif:
            let gif = try GIFStructure(walking: bytes, limits: limits)
            size = (gif.width, gif.height)
        }
        return ImageHeader(format: format, width: size.width, height: size.height)
    }
}
