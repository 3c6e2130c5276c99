/// A JPEG taken apart marker by marker, scans included, without decoding a pixel.
struct JPEGStructure {
    /// How the coefficients are coded.
    enum Coding {
        /// Baseline, extended or progressive with Huffman codes: what every decoder reads.
        case common(progressive: Bool)
        /// Arithmetic codes: we can read it, others may not.
        case arithmetic
    }

    struct Component {
        let identifier: Int
        let horizontal: Int
        let vertical: Int
        let quantTable: Int
    }

    let width: Int
    let height: Int
    let precision: Int
    let coding: Coding
    let components: [Component]
    /// EXIF orientation, 1 to 8.
    private(set) var orientation = 1
    /// The ICC profile, put together from its segments.
    private(set) var profile: [UInt8]?
    /// What a stripped copy consists of, in order.
    private(set) var kept: [Piece] = []
    /// Bytes of metadata that a stripped copy leaves out.
    private(set) var strippedBytes = 0
    /// Bytes behind the end of the picture.
    private(set) var trailingBytes = 0
    /// Nothing odd was seen: every table is there, scans have a plausible length, no bytes between segments.
    private(set) var isRegular = true

    /// What the frame header says (T.81 B.2.2).
    struct Frame {
        let width: Int
        let height: Int
        let precision: Int
        let coding: Coding
        let components: [Component]
        /// Least bits of entropy-coded data a whole picture has: one for every block.
        let leastBits: Int
    }

    enum Piece: Sendable, Hashable {
        case bytes(Range<Int>)
        /// A JFIF header without the thumbnail it had.
        case jfif([UInt8])
    }

    var subsampling: ChromaSubsampling {
        if components.count == 1 { return .grey }
        guard components.count == 3, let luma = components.first,
            components.dropFirst().allSatisfy({ $0.horizontal == 1 && $0.vertical == 1 })
        else { return .other }
        return switch (luma.horizontal, luma.vertical) {
        case (1, 1): ChromaSubsampling.none
        case (2, 1): .horizontal
        case (2, 2): .both
        default: .other
        }
    }
}

extension JPEGStructure {
    /// Takes a JPEG apart.
    ///
    /// - Throws: `ImageError.broken` if it is cut off or makes no sense; `.unsupportedVariant` for what cannot be decoded; limits that are exceeded.
    init(walking bytes: [UInt8], limits: DecodeLimits) throws(ImageError) {
        var walk = JPEGWalk(bytes, limits: limits)
        self = try walk.structure()
    }

    /// Reads only as far as the frame header.
    static func size(of source: some JPEGSource, limits: DecodeLimits) throws(ImageError) -> (width: Int, height: Int) {
        var walk = JPEGWalk(source, limits: limits)
        return try walk.size()
    }

    init(_ walk: JPEGWalk<some JPEGSource>, frame: Frame) {
        width = frame.width
        height = frame.height
        precision = frame.precision
        coding = frame.coding
        components = frame.components
        orientation = walk.orientation
        profile = walk.assembledProfile()
        kept = walk.kept
        strippedBytes = walk.strippedBytes
        trailingBytes = walk.source.count - walk.position
        // A header that promises millions of blocks and brings a hundred bytes is not whole, whatever its last marker says.
        let isTooShort = if case .common = coding { walk.scannedBytes < frame.leastBits / 8 } else { false }
        isRegular = walk.isRegular && !isTooShort
    }
}

extension JPEGStructure.Piece {
    var count: Int {
        switch self {
        case .bytes(let range): range.count
        case .jfif(let header): header.count
        }
    }
}

extension JPEGStructure {
    /// Bytes of a stripped copy.
    var keptBytes: Int { kept.reduce(0) { $0 + $1.count } }

    /// Takes metadata and trailing bytes out, in place: a picture is read from its start, so nothing lands on what is still to be moved.
    ///
    /// - Parameter bytes: Those that were walked.
    func strip(_ bytes: inout [UInt8]) {
        var end = 0
        for piece in kept {
            switch piece {
            case .bytes(let range):
                if range.lowerBound != end { bytes.move(range, to: end) }
                end += range.count
            case .jfif(let header):
                for byte in header {
                    bytes[end] = byte
                    end += 1
                }
            }
        }
        bytes.removeLast(bytes.count - end)
    }
}

extension [UInt8] {
    fileprivate mutating func move(_ range: Range<Int>, to start: Int) {
        precondition(start >= 0 && start <= range.lowerBound && range.upperBound <= count)
        unsafe withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            unsafe (base + start).copyMemory(from: base + range.lowerBound, byteCount: range.count)
        }
    }
}
