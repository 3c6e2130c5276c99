/// Which fraction a JPEG is scaled by while it is decoded.
enum JPEGScale {
    /// The scales that cost less than decoding at full size, in eighths.
    private static let cheap = [1, 2, 4]
    /// One part in this many: how far below an edge limit a picture may stay if the decoder comes out there by itself.
    private static let shortfall = 40

    /// The size to give a JPEG so that no edge is longer than a limit.
    ///
    /// That is the largest size that fits, or the size of a cheap scale if its long edge is at most 2.5 % shorter: 2,016 pixels for a
    /// camera's 4,032 and a limit of 2,048. No one sees the difference, and decoding costs half as much with nothing to resample.
    static func size(of stored: PixelSize, within maxEdge: Int?) -> PixelSize {
        let largest = stored.fitting(maxEdge)
        guard largest != stored else { return stored }
        let near = cheap.map { scaled(stored, by: $0) }.first {
            $0.longEdge <= largest.longEdge && (largest.longEdge - $0.longEdge) * shortfall <= largest.longEdge
        }
        return near ?? largest
    }

    /// The smallest of the cheap scales that is not below the wanted size, in eighths.
    static func eighths(from stored: PixelSize, to size: PixelSize) -> Int {
        cheap.first {
            let scaled = scaled(stored, by: $0)
            return scaled.width >= size.width && scaled.height >= size.height
        } ?? 8
    }

    /// What the decoder makes of a size: edges are rounded up.
    private static func scaled(_ size: PixelSize, by eighths: Int) -> PixelSize {
        PixelSize(width: (size.width * eighths + 7) / 8, height: (size.height * eighths + 7) / 8)
    }
}
