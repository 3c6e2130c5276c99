internal import CCodecs

/// The first rows of a picture, kept so that decisions can be made on them before encoding begins.
@safe struct LookAhead: ~Copyable {
    /// Bytes of pixels looked at before encoding starts: most of a screenshot, an eighth of a large photo.
    private static let maxBytes = 4 << 20
    /// About how many pixels the colour census samples.
    private static let censusPixels = 200_000

    /// Pictures of up to this many pixels count as icons.
    private static let iconPixels = 64 * 64

    private let storage: UnsafeMutableBufferPointer<UInt8>
    private let rowBytes: Int
    let rows: Int

    init(_ source: borrowing RowSource) throws(ImageError) {
        rowBytes = source.rowBytes
        rows = min(source.height, max(1, Self.maxBytes / max(rowBytes, 1)))
        let storage = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: rows * rowBytes)
        unsafe self.storage = storage
        for index in 0..<rows {
            let row = try unsafe source.next()
            unsafe (storage.baseAddress! + index * rowBytes).update(from: row, count: rowBytes)
        }
    }

    deinit {
        unsafe storage.deallocate()
    }

    func row(_ index: Int) -> UnsafePointer<UInt8> {
        precondition(index >= 0 && index < rows)
        return unsafe UnsafePointer(storage.baseAddress! + index * rowBytes)
    }

    /// Whether the picture looks drawn rather than taken: few colours, or many equal neighbours.
    func hasFewColours(width: Int, channels: Int) -> Bool {
        // An icon's colours are all edges, and coarser ones would save nothing.
        if rows * width <= Self.iconPixels { return true }
        let census = UnsafeMutablePointer<cc_census>.allocate(capacity: 1)
        defer { unsafe census.deallocate() }
        unsafe census.initialize(to: cc_census())
        let step = max(1, rows * width / 3 / Self.censusPixels)
        for index in stride(from: 0, to: rows, by: step) {
            unsafe cc_census_row(census, row(index), Int32(width), Int32(channels))
        }
        let pixels = unsafe census.pointee.pixels
        let equal = unsafe census.pointee.equal_neighbours
        let distinct = unsafe UInt64(census.pointee.distinct)
        let fewColours = distinct <= 1024 && distinct * 8 <= pixels
        let flatAreas = distinct < UInt64(CC_CENSUS_MAX) && equal * 10 >= pixels * 6
        return pixels == 0 || fewColours || flatAreas
    }

    /// Counts what the choice of a background needs.
    func alpha(width: Int, channels: Int) -> cc_alpha_stats {
        var stats = cc_alpha_stats()
        for index in 0..<rows {
            let opaque = unsafe cc_row_is_opaque(row(index), Int32(width), Int32(channels))
            unsafe cc_alpha_count(row(index), Int32(width), Int32(channels), opaque, &stats)
        }
        return stats
    }
}
