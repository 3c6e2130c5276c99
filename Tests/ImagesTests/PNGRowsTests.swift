import CCodecs
import Testing

@testable import Images

/// The usual PNG, whose rows are unfiltered here and not by libpng.
@Suite struct PNGRowsTests {
    @Test(arguments: [1, 2, 3, 4], [1, 2, 3, 5, 64, 333])
    func `every filter gives back every pixel`(channels: Int, width: Int) throws {
        var random = SplitMix(state: UInt64(channels * 1000 + width))
        let rows = (0..<17).map { _ in (0..<(width * channels)).map { _ in UInt8.random(in: 0...255, using: &random) } }
        // The second pass lets neighbours differ little, where Paeth's ties lie.
        for pixels in [rows, rows.map { $0.map { $0 & 3 } }] {
            let png = MadePNG(rows: pixels, channels: channels, filters: [0, 1, 2, 3, 4, 4, 3, 1, 2, 0, 3, 4, 2, 1, 3, 3, 4])
            #expect(try Self.decoded(png.bytes()) == pixels)
            #expect(try Self.decoded(png.bytes(chunk: 7)) == pixels)
        }
    }

    @Test func `what is wrong with the rows makes the picture broken`() throws {
        let rows = (0..<9).map { row in (0..<30).map { UInt8(($0 * 7 + row) & 255) } }
        let good = MadePNG(rows: rows, channels: 3, filters: [4])
        #expect(try Self.decoded(good.bytes()) == rows)
        var filter = good
        filter.filters = [5]
        var few = good
        few.announcedHeight = 10
        let whole = good.bytes()
        // Behind the last row: the stream's check sum, the chunk's, and IEND, which says nothing.
        let cut = Array(whole.dropLast(12 + 5))
        var wrong = whole
        wrong[60] ^= 1
        for (name, bytes) in [("filter", filter.bytes()), ("too few rows", few.bytes()), ("cut off", cut), ("check sum", wrong)] {
            #expect(throws: ImageError.self, "\(name)") { try Self.decoded(bytes) }
        }
        var many = good
        many.announcedHeight = 8
        #expect(try Self.decoded(many.bytes()) == Array(rows.dropLast()))
    }

    private static func decoded(_ png: [UInt8]) throws -> [[UInt8]] {
        let work = WorkGuard(limits: .standard, isCancelled: { false })
        return try unsafe png.withUnsafeBufferPointer { bytes in
            let source = try unsafe RowSource(work) { guardian, source, detail in
                unsafe cc_png_open(bytes.baseAddress, bytes.count, 1, 0, guardian, &source, &detail)
            }
            return try (0..<source.height).map { _ in try unsafe Array(UnsafeBufferPointer(start: source.next(), count: source.rowBytes)) }
        }
    }
}

/// A PNG put together by hand, its stream stored and not compressed.
private struct MadePNG {
    let rows: [[UInt8]]
    let channels: Int
    /// By row, over and over.
    var filters: [UInt8]
    var announcedHeight: Int

    init(rows: [[UInt8]], channels: Int, filters: [UInt8]) {
        (self.rows, self.channels, self.filters, announcedHeight) = (rows, channels, filters, rows.count)
    }

    /// - Parameter chunk: Most bytes of the stream in one IDAT.
    func bytes(chunk: Int = .max) -> [UInt8] {
        let type: UInt8 = [0, 4, 2, 6][channels - 1]
        var png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        png += Self.chunk("IHDR", Self.big(rows[0].count / channels) + Self.big(announcedHeight) + [8, type, 0, 0, 0])
        var stream = zlib[...]
        while !stream.isEmpty {
            png += Self.chunk("IDAT", Array(stream.prefix(chunk)))
            stream = stream.dropFirst(chunk)
        }
        return png + Self.chunk("IEND", [])
    }

    private var zlib: [UInt8] {
        let data = rows.indices.flatMap { [filters[$0 % filters.count]] + filtered($0, filters[$0 % filters.count]) }
        var (one, two) = (1, 0)
        for byte in data {
            one = (one + Int(byte)) % 65_521
            two = (two + one) % 65_521
        }
        let length = [UInt8(data.count & 255), UInt8(data.count >> 8)]
        return [0x78, 0x01, 1] + length + length.map { ~$0 } + data + Self.big(two << 16 | one)
    }

    /// PNG 1.2, section 6, written down from the text.
    private func filtered(_ index: Int, _ filter: UInt8) -> [UInt8] {
        rows[index].indices.map { x in
            func at(_ row: Int, _ column: Int) -> Int { row < 0 || column < 0 ? 0 : Int(rows[row][column]) }
            let (a, b, c) = (at(index, x - channels), at(index - 1, x), at(index - 1, x - channels))
            let prediction: Int
            switch filter {
            case 1: prediction = a
            case 2: prediction = b
            case 3: prediction = (a + b) / 2
            case 4:
                let p = a + b - c
                let (pa, pb, pc) = (abs(p - a), abs(p - b), abs(p - c))
                prediction = pa <= pb && pa <= pc ? a : pb <= pc ? b : c
            default: prediction = 0
            }
            return UInt8(truncatingIfNeeded: at(index, x) - prediction)
        }
    }

    private static func big(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }

    private static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
        var sum = UInt32.max
        for byte in Array(name.utf8) + content {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? 0xEDB8_8320 ^ (sum >> 1) : sum >> 1 }
        }
        return big(content.count) + Array(name.utf8) + content + big(Int(~sum))
    }
}
