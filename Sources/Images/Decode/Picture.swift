internal import CCodecs

/// One picture, taken apart as far as its container goes, ready to be decoded as often as needed.
struct Picture {
    let format: ImageFormat
    /// Size as stored, of the whole canvas.
    let width: Int
    let height: Int
    let orientation: Int
    /// Only its first frame is decoded.
    let isAnimated: Bool
    private let content: Content

    private enum Content {
        case jpeg(JPEGStructure)
        case png
        /// An APNG whose first frame is not its default image: that frame as a PNG of its own.
        case pngFrame([UInt8], PNGStructure.Frame)
        case webp(WebPStructure)
        case gif
    }

    init(_ bytes: [UInt8], format: ImageFormat, limits: DecodeLimits) throws(ImageError) {
        self.format = format
        switch format {
        case .jpeg:
            let jpeg = try JPEGStructure(walking: bytes, limits: limits)
            (width, height, orientation, isAnimated) = (jpeg.width, jpeg.height, jpeg.orientation, false)
            content = .jpeg(jpeg)
        case .png:
            let png = try PNGStructure(walking: bytes, limits: limits)
            (width, height, orientation, isAnimated) = (png.width, png.height, png.orientation, png.isAnimated)
            if let separate = png.separateFramePNG(from: bytes) {
                content = .pngFrame(separate.png, separate.frame)
            } else {
                content = .png
            }
        case .webp:
            let webp = try WebPStructure(walking: bytes, limits: limits)
            (width, height, orientation, isAnimated) = (webp.width, webp.height, webp.orientation, webp.isAnimated)
            content = .webp(webp)
        case .gif:
            let gif = try GIFStructure(walking: bytes, limits: limits)
            (width, height, orientation, isAnimated) = (gif.width, gif.height, 1, gif.isAnimated)
            content = .gif
        }
    }

    /// The parts of a JPEG; nil for other formats.
    var jpeg: JPEGStructure? {
        if case .jpeg(let jpeg) = content { jpeg } else { nil }
    }

    /// Where the bytes lie that a WebP decoder is given, if they cover the whole canvas; nil for anything else.
    var wholeWebP: Range<Int>? {
        guard case .webp(let webp) = content, webp.frameWidth == width, webp.frameHeight == height else { return nil }
        return webp.payload
    }

    /// The size to give the picture, as stored, so that no edge is longer than the limit. Never larger.
    func size(within maxEdge: Int?) -> PixelSize {
        let stored = PixelSize(width: width, height: height)
        return format == .jpeg ? JPEGScale.size(of: stored, within: maxEdge) : stored.fitting(maxEdge)
    }

    /// The ICC profile in the container, where the decoder does not find it by itself.
    func profile(in bytes: [UInt8]) -> [UInt8]? {
        switch content {
        case .jpeg(let jpeg): jpeg.profile
        case .webp(let webp): webp.profile.map { Array(bytes[$0]) }
        case .png, .pngFrame, .gif: nil
        }
    }

    /// Starts decoding.
    ///
    /// - Parameters:
    ///   - bytes: The same bytes as before; they must stay where they are until decoding is over.
    ///   - size: The size wanted in the end. The decoder comes as close from above as it cheaply can.
    func open(_ bytes: UnsafeBufferPointer<UInt8>, for size: PixelSize, _ work: WorkGuard, inner: FrameHolder) throws(ImageError)
        -> RowSource
    {
        switch content {
        case .jpeg:
            let eighths = JPEGScale.eighths(from: PixelSize(width: width, height: height), to: size)
            return try unsafe RowSource(work) { guardian, source, detail in
                unsafe cc_jpeg_open(bytes.baseAddress, bytes.count, Int32(eighths), guardian, &source, &detail)
            }
        case .png:
            return try unsafe RowSource(work) { guardian, source, detail in
                unsafe cc_png_open(bytes.baseAddress, bytes.count, 1, 0, guardian, &source, &detail)
            }
        case .pngFrame(let png, let frame):
            let held = unsafe inner.hold(png)
            return try unsafe RowSource(work) { guardian, source, detail in
                var frameSource: OpaquePointer?
                let status = unsafe cc_png_open(held.baseAddress, held.count, 1, 1, guardian, &frameSource, &detail)
                guard status == CC_OK else { return status }
                return unsafe cc_canvas_open(
                    frameSource, Int32(width), Int32(height), Int32(frame.x), Int32(frame.y), &source)
            }
        case .webp(let webp):
            return try unsafe openWebP(webp, bytes, for: size, work)
        case .gif:
            return try unsafe RowSource(work) { guardian, source, detail in
                unsafe cc_gif_open(
                    bytes.baseAddress, bytes.count, Int64(work.limits.pixels), Int32(clamping: work.limits.side), guardian, &source, &detail
                )
            }
        }
    }

    private func openWebP(
        _ webp: WebPStructure, _ bytes: UnsafeBufferPointer<UInt8>, for size: PixelSize, _ work: WorkGuard
    ) throws(ImageError) -> RowSource {
        let payload = unsafe UnsafeBufferPointer(rebasing: bytes[webp.payload])
        let covers = webp.frameWidth == width && webp.frameHeight == height
        return try unsafe RowSource(work) { guardian, source, detail in
            var frameSource: OpaquePointer?
            // The decoder scales opaque pictures itself before it converts their colours, which saves most of the conversion.
            let status = unsafe cc_webp_open(
                payload.baseAddress, payload.count, covers ? Int32(size.width) : 0, covers ? Int32(size.height) : 0, guardian,
                &frameSource, &detail)
            guard status == CC_OK else { return status }
            let facts = unsafe cc_source_facts(frameSource)
            if covers {
                unsafe source = frameSource
                return CC_OK
            }
            guard Int(facts.width) == webp.frameWidth, Int(facts.height) == webp.frameHeight else {
                unsafe cc_source_close(frameSource)
                return CC_BROKEN
            }
            return unsafe cc_canvas_open(frameSource, Int32(width), Int32(height), Int32(webp.x), Int32(webp.y), &source)
        }
    }
}

/// Keeps the bytes of a frame that was put together, at one place, while it is decoded.
@safe final class FrameHolder {
    private var buffer: UnsafeMutableBufferPointer<UInt8>?

    func hold(_ bytes: [UInt8]) -> UnsafeBufferPointer<UInt8> {
        unsafe buffer?.deallocate()
        let held = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
        _ = unsafe held.initialize(fromContentsOf: bytes)
        unsafe buffer = held
        return UnsafeBufferPointer(held)
    }

    deinit {
        unsafe buffer?.deallocate()
    }
}
