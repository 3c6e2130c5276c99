#if canImport(Darwin)
    private import Darwin
#else
    private import Glibc
#endif

/// Finds the best JPEG of a picture that stays within a number of bytes, with few encodes.
struct FitSearch<Picture: Raster> {
    let raster: Picture
    let orientation: Int
    let profile: [UInt8]?
    let subsampling: ChromaSubsampling
    let qualities: ClosedRange<Int>
    /// The limit as the caller gave it, for the error.
    let maxBase64Bytes: Int?
    let work: WorkGuard

    /// Most encodes spent on one size.
    private static var maxEncodes: Int { 6 }
    /// A result that uses this much of the room is good enough.
    private static var goodShare: Double { 0.92 }
    /// How fast the size of a photo grows with quality: its logarithm per point, over the middle of the scale.
    private static var growth: Double { 0.022 }
    /// A picture is not made smaller than this to fit; nothing could be seen on it.
    static var leastLongEdge: Int { 16 }

    /// The highest quality that fits at the picture's own size; nil if not even the lowest does.
    ///
    /// - Parameter smallest: Receives the bytes of the smallest form tried, estimated where encoding was given up.
    func bestQuality(maxBytes: Int?, of raster: Picture, smallest: inout Int) throws(ImageError) -> Found? {
        var fits: Found?
        var tooHigh = qualities.upperBound + 1
        var quality = qualities.upperBound
        var knownSize: (quality: Int, bytes: Int)?
        for _ in 0..<Self.maxEncodes {
            let outcome = try encode(raster, quality: quality, maxBytes: maxBytes)
            smallest = min(smallest, outcome.bytes)
            knownSize = (quality, outcome.bytes)
            if let jpeg = outcome.jpeg {
                fits = Found(jpeg: jpeg, quality: quality, size: raster.size)
                guard let maxBytes, Double(jpeg.count) < Self.goodShare * Double(maxBytes) else { break }
            } else {
                tooHigh = quality
            }
            let low = fits.map { $0.quality + 1 } ?? qualities.lowerBound
            let high = tooHigh - 1
            guard low <= high, let maxBytes, let known = knownSize else { break }
            let room = log(Double(max(maxBytes, 1)) * 0.97 / Double(max(known.bytes, 1)))
            let guess = Double(known.quality) + (room / Self.growth).clamped(to: -100...100)
            quality = min(max(Int(guess.rounded()), low), high)
        }
        if fits == nil, tooHigh > qualities.lowerBound, let maxBytes {
            // The guesses ran out above the lowest quality: try that one before giving up.
            let outcome = try encode(raster, quality: qualities.lowerBound, maxBytes: maxBytes)
            smallest = min(smallest, outcome.bytes)
            fits = outcome.jpeg.map { Found(jpeg: $0, quality: qualities.lowerBound, size: raster.size) }
        }
        return fits
    }

    /// The best form that fits: quality first, then size.
    ///
    /// - Throws: `ImageError.cannotFit` with the sizes as base64 text.
    func best(maxBytes: Int?) throws(ImageError) -> Found {
        var raster = raster
        var smallest = Int.max
        while true {
            let before = smallest
            smallest = .max
            let found = try bestQuality(maxBytes: maxBytes, of: raster, smallest: &smallest)
            if let found { return found }
            let here = smallest
            smallest = min(before, smallest)
            let limit = maxBytes ?? .max
            guard raster.size.longEdge > Self.leastLongEdge else {
                throw .cannotFit(limit: maxBase64Bytes ?? .max, smallest: base64Length(ofByteCount: smallest))
            }
            // Aim at a size where a middling quality fits: that shows more than the same bytes spent on pixels of the worst.
            let overhead = Double((profile?.count ?? 0) + 400)
            let middling = exp(Self.growth * 25)
            let share = max(Double(limit) * 0.9 - overhead, 1) / max((Double(here) - overhead) * middling, 1)
            let factor = min(max(share.squareRoot(), 0.1), 0.85)
            let edge = max(Int(Double(raster.size.longEdge) * factor), Self.leastLongEdge)
            raster = try raster.scaled(to: raster.size.fitting(edge), work)
        }
    }

    private func encode(_ raster: Picture, quality: Int, maxBytes: Int?) throws(ImageError) -> Encoding {
        let settings = EncodingSettings(quality: quality, subsampling: subsampling, profile: profile, maxBytes: maxBytes)
        return try raster.encoded(upright: orientation, settings, work)
    }
}

/// A picture that fits.
struct Found {
    let jpeg: [UInt8]
    let quality: Int
    /// Size as stored, before it is turned upright.
    let size: PixelSize
}

extension Double {
    fileprivate func clamped(to range: ClosedRange<Double>) -> Double {
        min(max(self, range.lowerBound), range.upperBound)
    }
}
