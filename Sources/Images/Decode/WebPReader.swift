internal import CCodecs

/// A lossy WebP being read into planes. Owns the C side's reader.
@safe struct WebPReader: ~Copyable {
    private let reader: OpaquePointer
    private let work: WorkGuard

    /// The encoded bytes must stay where they are for as long as this lives.
    ///
    /// - Parameter size: The size of the planes, not larger than the picture's own.
    /// - Returns: nil if the picture is lossless.
    init?(lossy bytes: UnsafeBufferPointer<UInt8>, _ size: PixelSize, _ work: WorkGuard) throws(ImageError) {
        var opened: OpaquePointer?
        var detail: UnsafePointer<CChar>?
        let status = unsafe cc_webp_reader_open(
            bytes.baseAddress, bytes.count, Int32(size.width), Int32(size.height), work.pointer, &opened, &detail)
        if status == CC_UNSUPPORTED { return nil }
        try unsafe work.pass(status, detail: detail)
        guard let opened = unsafe opened else { throw .broken("its data is damaged") }
        unsafe reader = opened
        self.work = work
    }

    deinit {
        unsafe cc_webp_reader_close(reader)
    }

    /// Counts over the first rows what the choice of a background needs; nothing in an opaque picture.
    func look() throws(ImageError) -> cc_alpha_stats {
        var stats = cc_alpha_stats()
        var detail: UnsafePointer<CChar>?
        try unsafe work.pass(cc_webp_reader_look(reader, &stats, &detail), detail: detail)
        return stats
    }

    /// Decodes all rows and lays them onto a background.
    consuming func finish(on backdrop: Backdrop) throws(ImageError) -> (planes: Planes, stats: cc_alpha_stats) {
        var planes = cc_planes()
        var stats = cc_alpha_stats()
        var detail: UnsafePointer<CChar>?
        let status = unsafe cc_webp_reader_finish(reader, backdrop.planes, &planes, &stats, &detail)
        try unsafe work.pass(status, detail: detail)
        return (Planes(planes), stats)
    }
}
