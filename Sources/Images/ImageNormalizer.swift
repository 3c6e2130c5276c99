internal import CCodecs

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
    ///   - bytes: The encoded picture, whatever its format. Given away, one that goes as it is needs no copy.
    ///   - target: What the JPEG must look like.
    ///   - isCancelled: Asked every few rows on the calling thread; once it answers true the work stops.
    /// - Throws: `ImageError`.
    public func normalize(
        _ bytes: consuming [UInt8], to target: ImageTarget, isCancelled: () -> Bool = { false }
    ) throws(ImageError) -> NormalizedImage {
        var bytes = bytes
        try limits.check(byteCount: bytes.count)
        guard let format = ImageFormat(startOf: bytes) else { throw .unsupportedFormat }
        let picture = try Picture(bytes, format: format, limits: limits)
        return try withoutActuallyEscaping(isCancelled) { (isCancelled) throws(ImageError) in
            let work = WorkGuard(limits: limits, isCancelled: isCancelled)
            defer { withExtendedLifetime(work) {} }
            if let jpeg = picture.jpeg {
                let easy = JPEGPassThrough(structure: jpeg, target: target)
                if let done = easy.stripped(&bytes) { return done }
                if let done = try easy.turned(bytes, work) { return done }
            }
            return try render(picture, bytes, target, work)
        }
    }

    private func render(
        _ picture: Picture, _ bytes: [UInt8], _ target: ImageTarget, _ work: WorkGuard
    ) throws(ImageError) -> NormalizedImage {
        let stored = PixelSize(width: picture.width, height: picture.height)
        let size = picture.size(within: target.maxEdge)
        let rendered = try unsafe bytes.withUnsafeBufferPointer { (buffer) throws(ImageError) in
            let renderer = unsafe Renderer(
                picture: picture, bytes: buffer, profile: picture.profile(in: bytes), target: target, size: size,
                maxBytes: target.maxBytes, work: work)
            return try renderer.render()
        }
        let report = ImageReport(
            sourceFormat: picture.format, sourceWidth: stored.width, sourceHeight: stored.height, sourceBytes: bytes.count,
            width: rendered.size.width, height: rendered.size.height, bytes: rendered.jpeg.count, quality: rendered.quality,
            chromaSubsampling: rendered.subsampling, actions: actions(picture, rendered, target))
        return NormalizedImage(jpeg: rendered.jpeg, report: report)
    }

    /// What was done to a picture that was decoded, in the order it was done.
    private func actions(_ picture: Picture, _ rendered: Renderer.Rendered, _ target: ImageTarget) -> [ImageAction] {
        var actions: [ImageAction] = []
        let facts = rendered.facts
        if picture.isAnimated { actions.append(.firstFrame) }
        if facts.was_sixteen_bit != 0 { actions.append(.sixteenBitScaled) }
        if facts.was_gamma_corrected != 0 { actions.append(.gammaCorrected) }
        if facts.was_cmyk != 0 { actions.append(.convertedFromCMYK) }
        if let backdrop = rendered.backdrop {
            actions.append(.flattened(red: backdrop.red, green: backdrop.green, blue: backdrop.blue))
        }
        let upright = PixelSize(width: picture.width, height: picture.height).turned(picture.orientation)
        if rendered.size != upright {
            actions.append(
                .shrunk(fromWidth: upright.width, fromHeight: upright.height, toWidth: rendered.size.width, toHeight: rendered.size.height))
        }
        if picture.orientation != 1 { actions.append(.turned(orientation: picture.orientation)) }
        actions.append(.reencoded)
        if rendered.quality < target.quality { actions.append(.qualityLowered(from: target.quality, to: rendered.quality)) }
        if rendered.profileBytes > 0 { actions.append(.profileKept(bytes: rendered.profileBytes)) }
        if rendered.droppedProfileBytes > 0 { actions.append(.profileDropped(bytes: rendered.droppedProfileBytes)) }
        return actions
    }
}
