/// Why a picture could not be normalised. It is always the picture's or the limits' doing, never the reader's.
public enum ImageError: Error, Hashable, Sendable {
    case empty
    /// The bytes begin like none of the four formats.
    case unsupportedFormat
    /// A valid file of one of the four formats, of a kind that nothing here can decode (a 12-bit or lossless JPEG, say).
    case unsupportedVariant(String)
    /// One of the four formats, but cut off or damaged. The text is ours, one clause, and safe to show.
    case broken(String)
    case tooManyBytes(count: Int, limit: Int)
    case tooManyPixels(width: Int, height: Int, limit: Int)
    case sideTooLong(side: Int, limit: Int)
    case tooManyScans(limit: Int)
    case tooMuchMemory(limit: Int)
    case tookTooLong(limit: Duration)
    /// Even the smallest form tried was over the limit. Both are bytes of base64 text.
    case cannotFit(limit: Int, smallest: Int)
    case cancelled

    /// What kind of failure this is, for choosing the documented error text.
    public enum Kind: Sendable, Hashable {
        case empty, unsupportedFormat, broken, overLimit, cancelled
    }

    /// What kind of failure this is, for choosing the documented error text.
    public var kind: Kind {
        switch self {
        case .empty: .empty
        case .unsupportedFormat: .unsupportedFormat
        case .unsupportedVariant, .broken: .broken
        case .tooManyBytes, .tooManyPixels, .sideTooLong, .tooManyScans, .tooMuchMemory, .tookTooLong, .cannotFit: .overLimit
        case .cancelled: .cancelled
        }
    }

    /// One plain sentence for the client, with the figure and the limit; says nothing about this machine or its libraries.
    public var publicDetail: String {
        switch self {
        case .empty: "The image is empty."
        case .unsupportedFormat: "The image is not a JPEG, PNG, WebP or GIF."
        case .unsupportedVariant(let what): "The image cannot be decoded: \(what)."
        case .broken(let what): "The image is broken: \(what)."
        case .tooManyBytes(let count, let limit): "The image has \(count) bytes; the limit is \(limit)."
        case .tooManyPixels(let width, let height, let limit):
            "The image has \(width) × \(height) pixels; the limit is \(limit) pixels in all."
        case .sideTooLong(let side, let limit): "The image is \(side) pixels long on one side; the limit is \(limit)."
        case .tooManyScans(let limit): "The image has more than \(limit) scans, which is the limit."
        case .tooMuchMemory(let limit): "The image needs more than \(limit) bytes of memory to decode, which is the limit."
        case .tookTooLong(let limit): "The image took more than \(limit.components.seconds) seconds to decode, which is the limit."
        case .cannotFit(let limit, let smallest):
            "The image cannot be made small enough: its smallest form has \(smallest) bytes as base64; the limit is \(limit)."
        case .cancelled: "The conversion was cancelled."
        }
    }
}
