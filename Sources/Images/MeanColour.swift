internal import CCodecs

/// The mean colour of a JPEG, from an eighth of its size: enough to tell whether the right picture arrived.
public struct MeanColour: Sendable, Hashable, CustomStringConvertible {
    public let red: Int
    public let green: Int
    public let blue: Int

    public var description: String { "rgb(\(red), \(green), \(blue))" }

    /// - Throws: `ImageError`, if the bytes are no JPEG that can be decoded within the limits.
    public init(ofJPEG bytes: [UInt8], limits: DecodeLimits = .standard) throws(ImageError) {
        let header = try ImageHeader.read(bytes, limits: limits)
        guard header.format == .jpeg else { throw .unsupportedFormat }
        let work = WorkGuard(limits: limits, isCancelled: { false })
        let sums = try unsafe bytes.withUnsafeBufferPointer { (buffer) throws(ImageError) in
            let rows = try unsafe RowSource(work) { guardian, source, detail in
                unsafe cc_jpeg_open(buffer.baseAddress, buffer.count, 1, guardian, &source, &detail)
            }
            return try Self.means(rows)
        }
        (red, green, blue) = sums
    }

    private static func means(_ rows: borrowing RowSource) throws(ImageError) -> (Int, Int, Int) {
        var sums = [0, 0, 0]
        let channels = rows.channels
        for _ in 0..<rows.height {
            let row = try unsafe rows.next()
            for column in 0..<rows.width {
                for channel in 0..<3 { sums[channel] += Int(unsafe row[column * channels + min(channel, channels - 1)]) }
            }
        }
        let count = Double(max(rows.width * rows.height, 1))
        let mean = sums.map { Double($0) / count }
        guard rows.facts.colour == CC_YCC else { return (rounded(mean[0]), rounded(mean[1]), rounded(mean[2])) }
        // JFIF's conversion is linear, so the mean may be converted instead of every pixel.
        let (luma, blue, red) = (mean[0], mean[1] - 128, mean[2] - 128)
        return (rounded(luma + 1.402 * red), rounded(luma - 0.344136 * blue - 0.714136 * red), rounded(luma + 1.772 * blue))
    }

    private static func rounded(_ value: Double) -> Int { min(max(Int(value.rounded()), 0), 255) }
}
