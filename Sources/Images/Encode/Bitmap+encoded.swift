internal import CCodecs

extension Bitmap: Raster {
    /// Rows turned and handed to the encoder together.
    private static let strip = 16

    func encoded(upright orientation: Int, _ settings: EncodingSettings, _ work: WorkGuard) throws(ImageError) -> Encoding {
        let upright = size.turned(orientation)
        let encoder = try JPEGEncoder(upright, layout: colour.layout, settings: settings, work)
        let rowBytes = upright.width * channels
        let turned = orientation == 1 ? nil : UnsafeMutableBufferPointer<UInt8>.allocate(capacity: rowBytes * Self.strip)
        defer { unsafe turned?.deallocate() }
        var first = 0
        while first < upright.height {
            let count = min(Self.strip, upright.height - first)
            let rows: UnsafePointer<UInt8>
            if let buffer = unsafe turned?.baseAddress {
                unsafe cc_turn_rows(
                    row(0), Int32(size.width), Int32(size.height), Int32(channels), Int32(orientation), Int32(first), Int32(count), buffer)
                unsafe rows = UnsafePointer(buffer)
            } else {
                unsafe rows = UnsafePointer(row(first))
            }
            first += count
            guard try unsafe encoder.write(rows, stride: rowBytes, count: count) else {
                return .overflow(estimatedBytes: Int(Double(encoder.size) * Double(upright.height) / Double(first)))
            }
        }
        guard let jpeg = try encoder.finish() else { return .overflow(estimatedBytes: encoder.size) }
        return .jpeg(jpeg)
    }
}
