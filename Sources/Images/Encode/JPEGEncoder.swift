internal import CCodecs

/// How a JPEG is to be encoded.
struct EncodingSettings {
    var quality: Int
    var subsampling: ChromaSubsampling
    var profile: [UInt8]?
    /// Most bytes; nil means no cap.
    var maxBytes: Int?

    /// What a tiny picture's code tables weigh would otherwise be most of it.
    private static let optimisedPixels = 256 * 256

    /// Whether code tables are made for this very picture.
    func optimises(_ size: PixelSize) -> Bool { size.pixels <= Self.optimisedPixels }
}

/// A JPEG being encoded, row by row. Owns the C side's encoder.
@safe struct JPEGEncoder: ~Copyable {
    private let encoder: OpaquePointer
    private let work: WorkGuard

    init(_ size: PixelSize, layout: cc_layout, settings: EncodingSettings, _ work: WorkGuard) throws(ImageError) {
        var opened: OpaquePointer?
        let optimise = settings.optimises(size)
        let profile = settings.profile ?? []
        let status = unsafe profile.withUnsafeBufferPointer { profile in
            unsafe cc_encoder_open(
                Int32(size.width), Int32(size.height), layout, Int32(min(max(settings.quality, 1), 100)),
                settings.subsampling == .both ? 1 : 0, optimise ? 1 : 0, profile.baseAddress, profile.count,
                settings.maxBytes.map { max($0, 1) } ?? 0, work.pointer, &opened)
        }
        try work.pass(status == CC_OUTPUT_FULL ? CC_TOO_MUCH_MEMORY : status)
        guard let opened = unsafe opened else { throw .tooMuchMemory(limit: work.limits.memory) }
        unsafe encoder = opened
        self.work = work
    }

    deinit {
        unsafe cc_encoder_close(encoder)
    }

    /// Encodes rows; false once the output is over the cap, after which nothing more may be written.
    func write(_ rows: UnsafePointer<UInt8>, stride: Int, count: Int) throws(ImageError) -> Bool {
        let status = unsafe cc_encoder_write(encoder, rows, stride, Int32(count))
        if status == CC_OUTPUT_FULL { return false }
        try work.pass(status)
        return true
    }

    /// Bytes written so far, or in all once finished; whole chunks before.
    var size: Int { unsafe cc_encoder_size(encoder) }

    /// The finished file; nil if it is over the cap.
    func finish() throws(ImageError) -> [UInt8]? {
        var data: UnsafePointer<UInt8>?
        var size = 0
        let status = unsafe cc_encoder_finish(encoder, &data, &size)
        if status == CC_OUTPUT_FULL { return nil }
        try work.pass(status)
        return unsafe Array(UnsafeBufferPointer(start: data, count: size))
    }
}

extension cc_colour {
    /// The encoder's word for packed rows of this colour.
    var layout: cc_layout {
        switch self {
        case CC_GREY: CC_IN_GREY
        case CC_YCC: CC_IN_YCC
        default: CC_IN_RGB
        }
    }
}
