private import CCodecs

/// What can be done to a JPEG without touching its pixels.
struct JPEGPassThrough {
    let structure: JPEGStructure
    let target: ImageTarget

    /// What to tell of the picture without metadata, if that is all it needs; nil if not.
    ///
    /// - Parameter count: Bytes of the picture.
    func strippedReport(sourceBytes count: Int) -> ImageReport? {
        guard isWelcome, structure.orientation == 1 else { return nil }
        let left = structure.keptBytes
        if let limit = target.maxBytes, left > limit { return nil }
        return report(size, from: count, to: left)
    }

    /// The picture without metadata, if that is all it needs; nil if not.
    ///
    /// - Parameter bytes: The picture. Becomes the answer, and is empty then: several megabytes need no second copy.
    func stripped(_ bytes: inout [UInt8]) -> NormalizedImage? {
        guard let report = strippedReport(sourceBytes: bytes.count) else { return nil }
        structure.strip(&bytes)
        var jpeg: [UInt8] = []
        swap(&jpeg, &bytes)
        return NormalizedImage(jpeg: jpeg, report: report)
    }

    /// The picture without metadata and turned upright by its blocks; nil if it lies upright, or needs more than that.
    func turned(_ bytes: [UInt8], _ work: WorkGuard) throws(ImageError) -> NormalizedImage? {
        guard isWelcome, structure.orientation != 1 else { return nil }
        let limit = min(target.maxBytes ?? .max, bytes.count)
        var turned = try turned(bytes, tight: false, work)
        if let first = turned, first.count > limit { turned = try self.turned(bytes, tight: true, work) }
        guard let turned, turned.count <= limit else { return nil }
        return NormalizedImage(jpeg: turned, report: report(size.turned(structure.orientation), from: bytes.count, to: turned.count))
    }

    private var size: PixelSize { PixelSize(width: structure.width, height: structure.height) }

    /// Whether its pixels may stay as they are coded.
    private var isWelcome: Bool {
        guard structure.isRegular, case .common = structure.coding else { return false }
        return [1, 3].contains(structure.components.count) && size.fitting(target.maxEdge) == size
    }

    /// The picture turned upright by its blocks; nil if its block grid does not allow that.
    private func turned(_ bytes: [UInt8], tight: Bool, _ work: WorkGuard) throws(ImageError) -> [UInt8]? {
        let profile = structure.profile.flatMap { $0.count <= work.limits.profileBytes ? $0 : nil } ?? []
        var data: UnsafeMutablePointer<UInt8>?
        var count = 0
        var detail: UnsafePointer<CChar>?
        let status = unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe profile.withUnsafeBufferPointer { profile in
                unsafe cc_jpeg_turn(
                    bytes.baseAddress, bytes.count, Int32(structure.orientation), tight ? 1 : 0, profile.baseAddress, profile.count,
                    work.pointer, &data,
                    &count, &detail)
            }
        }
        // Neither an unkind block grid nor too many coefficients to hold is an error: decoding row by row may still do.
        if status == CC_UNSUPPORTED || status == CC_TOO_MUCH_MEMORY { return nil }
        try unsafe work.pass(status, detail: detail)
        defer { unsafe cc_free(data) }
        guard let data = unsafe data else { return nil }
        return unsafe Array(UnsafeBufferPointer(start: data, count: count))
    }

    private func report(_ size: PixelSize, from sourceBytes: Int, to count: Int) -> ImageReport {
        var actions: [ImageAction] = []
        if structure.orientation == 1 {
            actions.append(.passedThrough)
        } else {
            actions.append(.turnedLosslessly(orientation: structure.orientation))
        }
        if structure.strippedBytes > 0 { actions.append(.metadataStripped(bytes: structure.strippedBytes)) }
        if structure.trailingBytes > 0 { actions.append(.trailingBytesCut(bytes: structure.trailingBytes)) }
        if let profile = structure.profile { actions.append(.profileKept(bytes: profile.count)) }
        var subsampling = structure.subsampling
        if structure.orientation >= 5 && subsampling == .horizontal { subsampling = .other }
        return ImageReport(
            sourceFormat: .jpeg, sourceWidth: structure.width, sourceHeight: structure.height, sourceBytes: sourceBytes,
            width: size.width, height: size.height, bytes: count, quality: nil, chromaSubsampling: subsampling, actions: actions)
    }
}
