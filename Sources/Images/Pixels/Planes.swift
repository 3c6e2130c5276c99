internal import CCodecs

/// A picture's own planes in memory, colours at half size; made once and encoded as often as needed. Owns the C side's planes.
@safe final class Planes: Raster {
    let size: PixelSize
    let isGrey: Bool
    private var planes: cc_planes

    /// Takes ownership of what the C side filled.
    init(_ planes: cc_planes) {
        self.planes = planes
        size = unsafe PixelSize(width: Int(planes.plane.0.width), height: Int(planes.plane.0.height))
        isGrey = planes.count == 1
    }

    deinit {
        unsafe cc_planes_free(&planes)
    }

    /// Decodes a JPEG to a size.
    ///
    /// - Returns: nil if its planes are not such that they can be used as they are.
    static func read(
        _ bytes: UnsafeBufferPointer<UInt8>, from stored: PixelSize, to size: PixelSize, _ work: WorkGuard
    ) throws(ImageError) -> Planes? {
        if size.pixels > work.limits.memory / 2 { throw .tooMuchMemory(limit: work.limits.memory) }
        var planes = cc_planes()
        var detail: UnsafePointer<CChar>?
        let eighths = JPEGScale.eighths(from: stored, to: size)
        let status = unsafe cc_jpeg_read_planes(
            bytes.baseAddress, bytes.count, Int32(eighths), Int32(size.width), Int32(size.height), work.pointer, &planes, &detail)
        if status == CC_UNSUPPORTED { return nil }
        try unsafe work.pass(status, detail: detail)
        return Planes(planes)
    }

    func scaled(to target: PixelSize, _ work: WorkGuard) throws(ImageError) -> Planes {
        try work.check()
        var smaller = cc_planes()
        try work.pass(unsafe cc_planes_scale(&planes, Int32(target.width), Int32(target.height), &smaller))
        return Planes(smaller)
    }

    func encoded(upright orientation: Int, _ settings: EncodingSettings, _ work: WorkGuard) throws(ImageError) -> Encoding {
        var data: UnsafeMutablePointer<UInt8>?
        var count = 0
        let profile = settings.profile ?? []
        let status = unsafe profile.withUnsafeBufferPointer { profile in
            unsafe cc_planes_encode(
                &planes, Int32(orientation), Int32(min(max(settings.quality, 1), 100)), settings.optimises(size) ? 1 : 0,
                profile.baseAddress, profile.count, settings.maxBytes.map { max($0, 1) } ?? 0, work.pointer, &data, &count)
        }
        if status == CC_OUTPUT_FULL { return .overflow(estimatedBytes: count) }
        try work.pass(status)
        defer { unsafe cc_free(data) }
        return unsafe .jpeg(Array(UnsafeBufferPointer(start: data, count: count)))
    }
}
