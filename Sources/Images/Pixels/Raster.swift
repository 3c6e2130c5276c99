/// A whole picture in memory that can be encoded as often as needed.
protocol Raster {
    /// Size as stored, before it is turned upright.
    var size: PixelSize { get }

    /// A copy scaled down to a size.
    func scaled(to target: PixelSize, _ work: WorkGuard) throws(ImageError) -> Self

    /// Encodes the picture turned upright from an EXIF orientation.
    func encoded(upright orientation: Int, _ settings: EncodingSettings, _ work: WorkGuard) throws(ImageError) -> Encoding
}

/// What came of one encode.
enum Encoding {
    case jpeg([UInt8])
    /// It was given up at the cap; the figure is what the whole would have been, by the rows done.
    case overflow(estimatedBytes: Int)

    var bytes: Int {
        switch self {
        case .jpeg(let jpeg): jpeg.count
        case .overflow(let estimatedBytes): estimatedBytes
        }
    }

    var jpeg: [UInt8]? {
        if case .jpeg(let jpeg) = self { jpeg } else { nil }
    }
}
