/// What one picture may cost before it is refused.
///
/// Every limit is checked against what the header claims before a pixel is allocated. The numbers are defaults with these reasons:
/// 20 MiB is the largest picture common providers take; 50 megapixels lets 48-megapixel phones pass and is 150 MB as RGB; 16,384
/// is one more than WebP's own longest side; a progressive JPEG has about ten scans, and 500 already cost seconds of work; 256 MiB
/// times two decodes at once fits a small machine; five seconds is the backstop for the unknown.
public struct DecodeLimits: Sendable, Hashable {
    /// Most encoded bytes.
    public var bytes: Int
    /// Most pixels, width × height of the whole canvas.
    public var pixels: Int
    /// Longest side in pixels.
    public var side: Int
    /// Most scans of a JPEG.
    public var scans: Int
    /// Most memory for pixels and coefficients, in bytes.
    public var memory: Int
    /// Most time spent by the calling thread's processor on one picture.
    public var time: Duration
    /// Most bytes that one compressed side chunk of a PNG (an ICC profile) may inflate to.
    public var chunkBytes: Int
    /// Longest ICC profile that is carried along, in bytes; longer ones are left out.
    public var profileBytes: Int

    public init(
        bytes: Int = 20 << 20, pixels: Int = 50_000_000, side: Int = 16_384, scans: Int = 100, memory: Int = 256 << 20,
        time: Duration = .seconds(5), chunkBytes: Int = 1 << 20, profileBytes: Int = 512 << 10
    ) {
        self.bytes = bytes
        self.pixels = pixels
        self.side = side
        self.scans = scans
        self.memory = memory
        self.time = time
        self.chunkBytes = chunkBytes
        self.profileBytes = profileBytes
    }

    /// The limits of the running service.
    public static let standard = DecodeLimits()

    /// Throws if an encoded size is over the limit, or nothing.
    func check(byteCount: Int) throws(ImageError) {
        if byteCount == 0 { throw .empty }
        if byteCount > bytes { throw .tooManyBytes(count: byteCount, limit: bytes) }
    }

    /// Throws if a size that a header claims is over the limits, or zero.
    func check(width: Int, height: Int) throws(ImageError) {
        if width < 1 || height < 1 { throw .broken("the picture has no width or no height") }
        if max(width, height) > side { throw .sideTooLong(side: max(width, height), limit: side) }
        let (product, overflow) = width.multipliedReportingOverflow(by: height)
        if overflow || product > pixels { throw .tooManyPixels(width: width, height: height, limit: pixels) }
    }
}
