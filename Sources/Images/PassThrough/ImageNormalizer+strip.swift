/// JPEGs of which nothing but metadata has to go. That takes a small part of the time of any decoding; whoever keeps what was made of pictures may try it before
/// looking there.
extension ImageNormalizer {
    /// A JPEG as ``normalize(_:to:isCancelled:)`` gives it, if its coded pixels may stay.
    ///
    /// - Parameter bytes: The encoded picture, whatever its format. Empty afterwards if there is an answer.
    /// - Returns: nil if the picture needs more than that.
    /// - Throws: `ImageError`, if it is a JPEG that is not whole or over a limit.
    public func strip(_ bytes: inout [UInt8], for target: ImageTarget) throws(ImageError) -> NormalizedImage? {
        try limits.check(byteCount: bytes.count)
        guard ImageFormat(startOf: bytes) == .jpeg, fits(try JPEGStructure.size(of: bytes, limits: limits), target) else { return nil }
        return JPEGPassThrough(structure: try JPEGStructure(walking: bytes, limits: limits), target: target).stripped(&bytes)
    }

    /// The same without writing the bytes down.
    ///
    /// - Parameter text: Base64, as far as anybody knows.
    /// - Returns: nil for whatever is not a whole JPEG in standard base64 that may go like this. The bytes say what is wrong with it, if anything is.
    public func strip(text: ArraySlice<UInt8>, for target: ImageTarget) -> StrippedJPEG? {
        guard text.starts(with: Self.jpegStart), let source = JPEGText(text), (try? limits.check(byteCount: source.count)) != nil,
            let size = try? JPEGStructure.size(of: source, limits: limits), fits(size, target)
        else { return nil }
        var walk = JPEGWalk(source, limits: limits)
        guard let structure = try? walk.structure(), walk.source.checkRest(from: walk.position), structure.kept.count <= Self.mostPieces,
            let report = JPEGPassThrough(structure: structure, target: target).strippedReport(sourceBytes: source.count)
        else { return nil }
        return StrippedJPEG(kept: structure.kept, report: report)
    }

    private func fits(_ size: (width: Int, height: Int), _ target: ImageTarget) -> Bool {
        let size = PixelSize(width: size.width, height: size.height)
        return size.fitting(target.maxEdge) == size
    }

    /// Cameras' files have fewer than ten. All of them are gone through for every part of the text that is written.
    private static let mostPieces = 64

    /// `FF D8 FF`, by which ``ImageFormat`` knows a JPEG.
    private static let jpegStart = Array("/9j/".utf8)
}
