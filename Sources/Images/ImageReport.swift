/// A normalised picture: its JPEG bytes and what was done to get them.
public struct NormalizedImage: Sendable, Hashable {
    /// The whole JPEG file.
    public let jpeg: [UInt8]
    public let report: ImageReport
}

/// What a picture was, what it became, and what was done in between. Holds no pixels and no text of the picture.
public struct ImageReport: Sendable, Hashable {
    public var sourceFormat: ImageFormat
    /// Width of the source as stored, in pixels, before it was turned upright.
    public var sourceWidth: Int
    /// Height of the source as stored, in pixels, before it was turned upright.
    public var sourceHeight: Int
    public var sourceBytes: Int
    public var width: Int
    public var height: Int
    public var bytes: Int
    /// JPEG quality it was encoded with; nil if the coded pixels were kept.
    public var quality: Int?
    public var chromaSubsampling: ChromaSubsampling
    /// What was done, in the order it was done.
    public var actions: [ImageAction]

    public init(
        sourceFormat: ImageFormat, sourceWidth: Int, sourceHeight: Int, sourceBytes: Int, width: Int, height: Int, bytes: Int,
        quality: Int?, chromaSubsampling: ChromaSubsampling, actions: [ImageAction]
    ) {
        self.sourceFormat = sourceFormat
        self.sourceWidth = sourceWidth
        self.sourceHeight = sourceHeight
        self.sourceBytes = sourceBytes
        self.width = width
        self.height = height
        self.bytes = bytes
        self.quality = quality
        self.chromaSubsampling = chromaSubsampling
        self.actions = actions
    }

    /// Bytes of base64 text the JPEG takes.
    public var base64Bytes: Int { base64Length(ofByteCount: bytes) }
}

/// How finely a JPEG stores its colours.
public enum ChromaSubsampling: String, Sendable, Hashable {
    case none = "4:4:4"
    case horizontal = "4:2:2"
    case both = "4:2:0"
    /// No colours at all.
    case grey
    /// Anything else that a passed-through JPEG may hold.
    case other
}

/// One thing that was done to a picture.
public enum ImageAction: Sendable, Hashable {
    /// The coded pixels were kept byte for byte.
    case passedThrough
    /// EXIF, XMP, IPTC, comments, thumbnails and other segments that say nothing about pixels were cut out.
    case metadataStripped(bytes: Int)
    /// Bytes after the end of the picture (a second picture, a film, rubbish) were cut off.
    case trailingBytesCut(bytes: Int)
    /// Turned upright by moving JPEG blocks, without decoding pixels.
    case turnedLosslessly(orientation: Int)
    /// Turned upright by moving pixels.
    case turned(orientation: Int)
    /// Laid onto a background, because parts of it were transparent.
    case flattened(red: UInt8, green: UInt8, blue: UInt8)
    /// It moves, or may move; the first frame was taken.
    case firstFrame
    case sixteenBitScaled
    case gammaCorrected
    case convertedFromCMYK
    case shrunk(fromWidth: Int, fromHeight: Int, toWidth: Int, toHeight: Int)
    case reencoded
    /// The quality was lowered until the picture fitted.
    case qualityLowered(from: Int, to: Int)
    /// An ICC colour profile travels along.
    case profileKept(bytes: Int)
    /// An ICC colour profile was left out: it was for other colours than those of the JPEG, or too long.
    case profileDropped(bytes: Int)

    /// A stable word for logs, tables and JSON.
    public var name: String {
        switch self {
        case .passedThrough: "passed_through"
        case .metadataStripped: "metadata_stripped"
        case .trailingBytesCut: "trailing_bytes_cut"
        case .turnedLosslessly: "turned_losslessly"
        case .turned: "turned"
        case .flattened: "flattened"
        case .firstFrame: "first_frame"
        case .sixteenBitScaled: "sixteen_bit_scaled"
        case .gammaCorrected: "gamma_corrected"
        case .convertedFromCMYK: "converted_from_cmyk"
        case .shrunk: "shrunk"
        case .reencoded: "reencoded"
        case .qualityLowered: "quality_lowered"
        case .profileKept: "profile_kept"
        case .profileDropped: "profile_dropped"
        }
    }
}

extension ImageAction: CustomStringConvertible {
    /// The action in a few words, with its figures.
    public var description: String {
        switch self {
        case .passedThrough: "coded pixels kept"
        case .metadataStripped(let bytes): "\(bytes) bytes of metadata cut out"
        case .trailingBytesCut(let bytes): "\(bytes) bytes after the end cut off"
        case .turnedLosslessly(let orientation): "turned upright without loss (EXIF orientation \(orientation))"
        case .turned(let orientation): "turned upright (EXIF orientation \(orientation))"
        case .flattened(let red, let green, let blue): "transparent parts laid onto rgb(\(red), \(green), \(blue))"
        case .firstFrame: "first frame taken"
        case .sixteenBitScaled: "16 bits a channel scaled to 8"
        case .gammaCorrected: "gamma corrected"
        case .convertedFromCMYK: "converted from CMYK"
        case .shrunk(let fromWidth, let fromHeight, let toWidth, let toHeight):
            "shrunk from \(fromWidth) × \(fromHeight) to \(toWidth) × \(toHeight)"
        case .reencoded: "encoded as JPEG"
        case .qualityLowered(let from, let to): "quality lowered from \(from) to \(to) to fit"
        case .profileKept(let bytes): "colour profile of \(bytes) bytes kept"
        case .profileDropped(let bytes): "colour profile of \(bytes) bytes left out"
        }
    }
}
