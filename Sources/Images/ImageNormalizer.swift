/// Turns any supported picture into a true JPEG within a target's limits.
///
/// Synchronous and pure: the same bytes and target give the same JPEG. The caller decides on which thread, and how many at once.
public struct ImageNormalizer: Sendable {
    public let limits: DecodeLimits

    public init(limits: DecodeLimits = .standard) {
        self.limits = limits
    }

    /// Normalises one picture.
    ///
    /// - Parameters:
    ///   - bytes: The encoded picture, whatever its format.
    ///   - target: What the JPEG must look like.
    ///   - isCancelled: Asked every few rows on the calling thread; once it answers true the work stops.
    /// - Throws: `ImageError`.
    public func normalize(
        _ bytes: [UInt8], to target: ImageTarget, isCancelled: () -> Bool = { false }
    ) throws(ImageError) -> NormalizedImage {
        _ = try ImageHeader.read(bytes, limits: limits)
        throw .unsupportedFormat
    }
}
