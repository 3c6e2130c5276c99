internal import CCodecs

#if canImport(Darwin)
    private import Darwin
#else
    private import Glibc
#endif

/// Finds the best JPEG of a bitmap that stays within a number of bytes, with few encodes.
struct FitSearch {
    let bitmap: Bitmap
    let orientation: Int
    let profile: [UInt8]?
    let subsampling: ChromaSubsampling
    let qualities: ClosedRange<Int>
    /// The limit as the caller gave it, for the error.
    let maxBase64Bytes: Int?
    let work: WorkGuard

    struct Found {
        let jpeg: [UInt8]
        let quality: Int
        /// Size as stored, before it is turned upright.
        let size: PixelSize
    }

    /// Most encodes spent on one size.
    private static let maxEncodes = 6
    /// A result that uses this much of the room is good enough.
    private static let goodShare = 0.92
    /// How fast the size of a photo grows with quality: its logarithm per point, over the middle of the scale.
    private static let growth = 0.022
    /// A picture is not made smaller than this to fit; nothing could be seen on it.
    static let leastLongEdge = 16

    /// The highest quality that fits at the bitmap's own size; nil if not even the lowest does.
    ///
    /// - Parameter smallest: Receives the bytes of the smallest form tried, estimated where encoding was given up.
    func bestQuality(maxBytes: Int?, of bitmap: Bitmap, smallest: inout Int) throws(ImageError) -> Found? {
        var fits: Found?
        var tooHigh = qualities.upperBound + 1
        var quality = qualities.upperBound
        var knownSize: (quality: Int, bytes: Int)?
        for _ in 0..<Self.maxEncodes {
            let outcome = try encode(bitmap, quality: quality, maxBytes: maxBytes)
            smallest = min(smallest, outcome.bytes)
            knownSize = (quality, outcome.bytes)
            if let jpeg = outcome.jpeg {
                fits = Found(jpeg: jpeg, quality: quality, size: bitmap.size)
                guard let maxBytes, Double(jpeg.count) < Self.goodShare * Double(maxBytes) else { break }
            } else {
                tooHigh = quality
            }
            let low = fits.map { $0.quality + 1 } ?? qualities.lowerBound, high = tooHigh - 1
            guard low <= high, let maxBytes, let known = knownSize else { break }
            let room = log(Double(max(maxBytes, 1)) * 0.97 / Double(max(known.bytes, 1)))
            let guess = Double(known.quality) + (room / Self.growth).clamped(to: -100...100)
            quality = min(max(Int(guess.rounded()), low), high)
        }
        if fits == nil, tooHigh > qualities.lowerBound, let maxBytes {
            // The guesses ran out above the lowest quality: try that one before giving up.
            let outcome = try encode(bitmap, quality: qualities.lowerBound, maxBytes: maxBytes)
            smallest = min(smallest, outcome.bytes)
            fits = outcome.jpeg.map { Found(jpeg: $0, quality: qualities.lowerBound, size: bitmap.size) }
        }
        return fits
    }

    /// The best form that fits: quality first, then size.
    ///
    /// - Throws: `ImageError.cannotFit` with the sizes as base64 text.
    func best(maxBytes: Int?) throws(ImageError) -> Found {
        var bitmap = bitmap
        var smallest = Int.max
        while true {
            let before = smallest
            smallest = .max
            let found = try bestQuality(maxBytes: maxBytes, of: bitmap, smallest: &smallest)
            if let found { return found }
            let here = smallest
            smallest = min(before, smallest)
            let limit = maxBytes ?? .max
            guard bitmap.size.longEdge > Self.leastLongEdge else {
                throw .cannotFit(limit: maxBase64Bytes ?? .max, smallest: base64Length(ofByteCount: smallest))
            }
            // Aim at a size where a middling quality fits: that shows more than the same bytes spent on pixels of the worst.
            let overhead = Double((profile?.count ?? 0) + 400)
            let middling = exp(Self.growth * 25)
            let share = max(Double(limit) * 0.9 - overhead, 1) / max((Double(here) - overhead) * middling, 1)
            let factor = min(max(share.squareRoot(), 0.1), 0.85)
            let edge = max(Int(Double(bitmap.size.longEdge) * factor), Self.leastLongEdge)
            bitmap = try bitmap.scaled(to: bitmap.size.fitting(edge), work)
        }
    }

    /// Encodes once. Where it is given up at the cap, `bytes` is what the whole would have been by the rows done.
    private func encode(_ bitmap: Bitmap, quality: Int, maxBytes: Int?) throws(ImageError) -> (jpeg: [UInt8]?, bytes: Int) {
        let settings = EncodingSettings(quality: quality, subsampling: subsampling, profile: profile, maxBytes: maxBytes)
        let encoder: JPEGEncoder
        let upright = bitmap.size.turned(orientation)
        encoder = try JPEGEncoder(upright, layout: bitmap.colour.layout, settings: settings, work)
        let rowBytes = upright.width * bitmap.channels
        let strip = 16
        let turned = orientation == 1 ? nil : UnsafeMutableBufferPointer<UInt8>.allocate(capacity: rowBytes * strip)
        defer { unsafe turned?.deallocate() }
        var first = 0
        while first < upright.height {
            let count = min(strip, upright.height - first)
            let rows: UnsafePointer<UInt8>
            if let buffer = unsafe turned?.baseAddress {
                unsafe cc_turn_rows(
                    bitmap.row(0), Int32(bitmap.size.width), Int32(bitmap.size.height), Int32(bitmap.channels), Int32(orientation),
                    Int32(first), Int32(count), buffer)
                unsafe rows = UnsafePointer(buffer)
            } else {
                unsafe rows = UnsafePointer(bitmap.row(first))
            }
            guard try unsafe encoder.write(rows, stride: rowBytes, count: count) else {
                let share = Double(first + count) / Double(upright.height)
                return (nil, Int(Double(encoder.size) / share))
            }
            first += count
        }
        guard let jpeg = try encoder.finish() else { return (nil, encoder.size) }
        return (jpeg, jpeg.count)
    }
}

extension Double {
    fileprivate func clamped(to range: ClosedRange<Double>) -> Double {
        min(max(self, range.lowerBound), range.upperBound)
    }
}
