/// A size in pixels.
struct PixelSize: Hashable {
    var width: Int
    var height: Int

    var pixels: Int { width * height }
    var longEdge: Int { max(width, height) }

    /// The largest size of the same shape whose edges are not longer than the limit. Never larger, at least one pixel.
    func fitting(_ maxEdge: Int?) -> PixelSize {
        guard let maxEdge, longEdge > max(maxEdge, 1) else { return self }
        let edge = max(maxEdge, 1)
        func scaled(_ side: Int) -> Int { max(1, (2 * side * edge + longEdge) / (2 * longEdge)) }
        return PixelSize(width: scaled(width), height: scaled(height))
    }

    /// The size after an EXIF orientation has been applied.
    func turned(_ orientation: Int) -> PixelSize {
        orientation >= 5 ? PixelSize(width: height, height: width) : self
    }
}
