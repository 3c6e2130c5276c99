import CTurboJPEG
import Testing

/// A JPEG decoded by TurboJPEG's own interface, which the target under test does not use.
struct DecodedJPEG {
    let width: Int
    let height: Int
    let subsampling: Int32
    /// Packed RGB.
    let pixels: [UInt8]

    init(_ jpeg: [UInt8]) throws {
        let handle = try unsafe #require(tjInitDecompress())
        defer { unsafe tjDestroy(handle) }
        var width: Int32 = 0
        var height: Int32 = 0
        var subsampling: Int32 = 0
        var colours: Int32 = 0
        try #require(unsafe tjDecompressHeader3(handle, jpeg, UInt(jpeg.count), &width, &height, &subsampling, &colours) == 0)
        var pixels = [UInt8](repeating: 0, count: Int(width) * Int(height) * 3)
        let status = unsafe tjDecompress2(
            handle, jpeg, UInt(jpeg.count), &pixels, width, 0, height, Int32(TJPF_RGB.rawValue), TJFLAG_STOPONWARNING)
        try #require(status == 0)
        self.width = Int(width)
        self.height = Int(height)
        self.subsampling = subsampling
        self.pixels = pixels
    }

    /// Mean colour of each cell of an 8 × 8 grid, row by row.
    var grid: [[Double]] {
        (0..<64).map { cell in
            let rows = (height * (cell / 8) / 8)..<(height * (cell / 8 + 1) / 8)
            let columns = (width * (cell % 8) / 8)..<(width * (cell % 8 + 1) / 8)
            var sums = [0.0, 0.0, 0.0]
            for y in rows {
                for x in columns {
                    for channel in 0..<3 { sums[channel] += Double(pixels[(y * width + x) * 3 + channel]) }
                }
            }
            return sums.map { $0 / Double(max(rows.count * columns.count, 1)) }
        }
    }

    func pixel(_ x: Int, _ y: Int) -> [UInt8] {
        Array(pixels[((y * width + x) * 3)..<((y * width + x) * 3 + 3)])
    }

    /// The largest difference of a cell's channel.
    func distance(to grid: [[Double]]) -> Double {
        zip(self.grid, grid).flatMap { cell, wanted in zip(cell, wanted).map { abs($0 - $1) } }.max() ?? 0
    }
}

extension DecodedJPEG {
    /// The mean difference over all cells and channels.
    func meanDistance(to grid: [[Double]]) -> Double {
        let differences = zip(self.grid, grid).flatMap { cell, wanted in zip(cell, wanted).map { abs($0 - $1) } }
        return differences.reduce(0, +) / Double(max(differences.count, 1))
    }
}

/// Makes JPEGs to start from.
enum MadeJPEG {
    /// Encodes pixels given by a function of x and y.
    static func rgb(
        _ width: Int, _ height: Int, quality: Int = 90, sampling: TJSAMP = TJSAMP_420, progressive: Bool = false,
        _ pixel: (Int, Int) -> (UInt8, UInt8, UInt8)
    ) throws -> [UInt8] {
        var pixels: [UInt8] = []
        pixels.reserveCapacity(width * height * 3)
        for y in 0..<height {
            for x in 0..<width {
                let (red, green, blue) = pixel(x, y)
                pixels += [red, green, blue]
            }
        }
        let handle = try unsafe #require(tjInitCompress())
        defer { unsafe tjDestroy(handle) }
        var data: UnsafeMutablePointer<UInt8>?
        var size: UInt = 0
        let status = unsafe tjCompress2(
            handle, pixels, Int32(width), 0, Int32(height), Int32(TJPF_RGB.rawValue), &data, &size, Int32(sampling.rawValue),
            Int32(quality),
            progressive ? TJFLAG_PROGRESSIVE : 0)
        defer { unsafe tjFree(data) }
        try #require(status == 0)
        return unsafe Array(UnsafeBufferPointer(start: data, count: Int(size)))
    }

    /// Noise over a slope: compresses about as badly as a sharp photo.
    static func photo(_ width: Int, _ height: Int, quality: Int = 90, sampling: TJSAMP = TJSAMP_420) throws -> [UInt8] {
        var generator = SplitMix(state: 7)
        return try rgb(width, height, quality: quality, sampling: sampling) { x, y in
            let noise = Int(generator.next() & 31)
            return (UInt8((x * 200 / width + noise) & 255), UInt8((y * 200 / height + noise) & 255), UInt8(((x + y) / 8 + noise) & 255))
        }
    }
}

/// A small generator with a seed, so that a failing case can be run again.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
