private import CCodecs

/// What can be done to a JPEG without touching its pixels.
struct JPEGPassThrough {
    let structure: JPEGStructure
    let target: ImageTarget
    let work: WorkGuard

    /// The picture without metadata, upright; nil if it needs more than that.
    ///
    /// - Parameter bytes: The picture. Becomes the answer where it can, and is empty then: several megabytes need no second copy.
    func attempt(_ bytes: inout [UInt8]) throws(ImageError) -> NormalizedImage? {
        let size = PixelSize(width: structure.width, height: structure.height)
        guard structure.isRegular, case .common = structure.coding, [1, 3].contains(structure.components.count),
            size.fitting(target.maxEdge) == size
        else { return nil }
        let sourceBytes = bytes.count
        if structure.orientation == 1 {
            // Nothing is done to a picture that will be too large anyway.
            if let limit = target.maxBytes, sourceBytes - structure.strippedBytes - structure.trailingBytes > limit { return nil }
            structure.strip(&bytes)
            var jpeg: [UInt8] = []
            swap(&jpeg, &bytes)
            return NormalizedImage(
                jpeg: jpeg, report: report(size, from: sourceBytes, to: jpeg.count), commonEnd: structure.commonEnd(in: jpeg))
        }
        let limit = min(target.maxBytes ?? .max, sourceBytes)
        var turned = try turned(bytes, tight: false)
        if let first = turned, first.count > limit { turned = try self.turned(bytes, tight: true) }
        guard let turned, turned.count <= limit else { return nil }
        return NormalizedImage(jpeg: turned, report: report(size.turned(structure.orientation), from: sourceBytes, to: turned.count))
    }

    /// The picture turned upright by its blocks; nil if its block grid does not allow that.
    private func turned(_ bytes: [UInt8], tight: Bool) throws(ImageError) -> [UInt8]? {
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
