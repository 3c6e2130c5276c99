import Foundation
import Images
import TestSupport
import Testing

/// Files made to hurt. Each must be refused or answered quickly; none may trap.
@Suite(.serialized) struct HostileTests {
    /// What a case cost: processor time of this thread and growth of the process.
    private func cost(_ body: () -> Void) -> (seconds: Double, megabytes: Int) {
        let before = ProcessCounts.residentBytes
        let start = ProcessCounts.threadTime
        body()
        return ((ProcessCounts.threadTime - start) / .seconds(1), (ProcessCounts.residentBytes - before) >> 20)
    }

    /// Normalises; nil means it came through.
    private func refusal(_ bytes: [UInt8], _ target: ImageTarget = ImageTarget(maxEdge: 2048), within seconds: Double = 2) -> ImageError? {
        var result: ImageError?
        let cost = cost {
            do throws(ImageError) {
                _ = try ImageNormalizer().normalize(bytes, to: target)
            } catch {
                result = error
            }
        }
        #expect(cost.seconds < seconds * ProcessCounts.slowdown)
        #expect(cost.megabytes < 256)
        return result
    }

    // MARK: Giants that a header tells of

    @Test func `a WebP of 34 bytes that claims 16,383 squared is refused by its header`() {
        let side = 16_383 - 1
        let bits = side | side << 14
        var bytes = Array("RIFF".utf8) + [26, 0, 0, 0] + Array("WEBPVP8L".utf8) + [14, 0, 0, 0, 0x2F]
        bytes += (0..<4).map { UInt8(bits >> (8 * $0) & 255) } + [UInt8](repeating: 0x88, count: 9)
        #expect(bytes.count == 34)
        #expect(refusal(bytes, within: 0.05) == .tooManyPixels(width: 16_383, height: 16_383, limit: 50_000_000))
    }

    @Test(arguments: [(65_500, 65_500), (65_500, 1), (1, 65_500), (16_384, 16_384), (7072, 7072)])
    func `a JPEG header over a limit is refused before anything is allocated`(width: Int, height: Int) throws {
        var jpeg = try MadeJPEG.photo(16, 16)
        let frame = try #require(jpeg.indices.first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 })
        jpeg.replaceSubrange(
            (frame + 5)..<(frame + 9), with: [UInt8(height >> 8), UInt8(height & 255), UInt8(width >> 8), UInt8(width & 255)])
        #expect(refusal(jpeg, within: 0.05)?.kind == .overLimit)
    }

    @Test(arguments: [
        (65_500, 65_500), (Int(UInt32.max), 1), (Int(UInt32.max), Int(UInt32.max)), (16_385, 1), (0, 5), (5, 0), (1 << 31, 1 << 31),
    ])
    func `a PNG header over a limit or without a size is refused`(width: Int, height: Int) {
        #expect([.overLimit, .broken].contains(refusal(PNGMaker.png(width, height, chunks: []), within: 0.05)?.kind))
    }

    @Test func `a GIF canvas of a thousand million pixels is refused`() throws {
        var gif = try ImageFixtures.bytes("animation/offset.gif")
        gif.replaceSubrange(6..<10, with: [0x00, 0x80, 0x00, 0x7D])
        #expect(refusal(gif, within: 0.05)?.kind == .overLimit)
    }

    @Test func `a GIF frame far outside its canvas is refused`() throws {
        var gif = try ImageFixtures.bytes("animation/offset.gif")
        let frame = try #require(gif.indices.first { gif[$0] == 0x2C && gif[$0 + 1] == 20 && gif[$0 + 3] == 10 })
        gif.replaceSubrange((frame + 1)..<(frame + 5), with: [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(refusal(gif, within: 0.05)?.kind == .overLimit)
    }

    @Test func `limits hold at one below, at, and one above`() throws {
        let limits = DecodeLimits(bytes: 1000, pixels: 200, side: 20)
        #expect(throws: Never.self) { try ImageHeader.read(PNGMaker.png(20, 10, chunks: []), limits: limits) }
        #expect(throws: Never.self) { try ImageHeader.read(PNGMaker.png(19, 10, chunks: []), limits: limits) }
        #expect(throws: ImageError.sideTooLong(side: 21, limit: 20)) {
            try ImageHeader.read(PNGMaker.png(21, 1, chunks: []), limits: limits)
        }
        #expect(throws: ImageError.tooManyPixels(width: 20, height: 11, limit: 200)) {
            try ImageHeader.read(PNGMaker.png(20, 11, chunks: []), limits: limits)
        }
        #expect(throws: ImageError.tooManyBytes(count: 1001, limit: 1000)) {
            try ImageNormalizer(limits: limits).normalize([UInt8](repeating: 0xFF, count: 1001), to: ImageTarget())
        }
    }

    // MARK: Work that a header does not tell of

    @Test(arguments: [(100, false), (101, true), (1_000, true), (10_000, true)])
    func `a progressive JPEG with too many scans is refused at the hundred and first`(scans: Int, isRefused: Bool) throws {
        // The last refinement over and over: each costs a walk over all blocks.
        var jpeg = try MadeJPEG.rgb(2048, 2048, progressive: true) { _, _ in (128, 128, 128) }
        jpeg.removeLast(2)
        let present = jpeg.indices.dropLast().count { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xDA }
        let last = try #require(jpeg.indices.dropLast().last { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xDA })
        let scan = Array(jpeg[last...])
        for _ in 0..<max(0, scans - present) { jpeg += scan }
        jpeg += [0xFF, 0xD9]
        let error = refusal(jpeg)
        if isRefused {
            #expect(error == .tooManyScans(limit: 100))
        } else {
            #expect(error != .tooManyScans(limit: 100))
        }
    }

    @Test(arguments: ["zTXt", "iTXt", "tEXt", "iCCP", "sPLT", "eXIf", "tIME", "prIv"])
    func `a PNG with thousands of chunks that inflate costs nothing`(name: String) {
        let chunk = PNGMaker.chunk(name, Array("note\0\0".utf8) + PNGMaker.deflated(zeros: 1 << 20))
        let chunks = [[UInt8]](repeating: chunk, count: 2000)
        _ = refusal(PNGMaker.png(1, 1, chunks: chunks + [PNGMaker.onePixel]), within: 0.5)
    }

    @Test func `an ICC profile that inflates to 256 MB is left out`() {
        let content = Array("profile\0\0".utf8) + PNGMaker.deflated(zeros: 256 << 20)
        #expect(refusal(PNGMaker.png(1, 1, chunks: [PNGMaker.chunk("iCCP", content), PNGMaker.onePixel]), within: 0.5) == nil)
    }

    @Test(arguments: ["IDAT", "teSt", "tEXt", "gAMA"])
    func `a hundred thousand empty chunks cost little`(name: String) {
        let chunks = [[UInt8]](repeating: PNGMaker.chunk(name, []), count: 100_000)
        _ = refusal(PNGMaker.png(1, 1, chunks: chunks + [PNGMaker.onePixel]), within: 0.5)
    }

    @Test func `20 MB of empty chunks stay under the time limit`() {
        let chunks = [[UInt8]](repeating: PNGMaker.chunk("teSt", []), count: 1_700_000)
        _ = refusal(PNGMaker.png(1, 1, chunks: chunks + [PNGMaker.onePixel]), within: 2)
    }

    @Test func `a GIF of a hundred thousand frames costs one`() throws {
        let gif = try ImageFixtures.bytes("animation/offset.gif")
        let frame = try #require(gif.indices.first { gif[$0] == 0x2C && gif[$0 + 1] == 20 })
        let tail = Array(gif[frame..<(gif.count - 1)])
        var bytes = Array(gif.dropLast())
        for _ in 0..<(5_000_000 / tail.count) { bytes += tail }
        #expect(refusal(bytes + [0x3B], within: 0.1) == nil)
    }

    @Test func `a GIF of a hundred thousand extensions costs little`() {
        var gif = Array("GIF89a".utf8) + [1, 0, 1, 0, 0, 0, 0]
        for _ in 0..<1_000_000 { gif += [0x21, 0xFE, 1, 65, 0] }
        #expect(refusal(gif + [0x3B], within: 0.5)?.kind == .broken)
        var long = Array("GIF89a".utf8) + [1, 0, 1, 0, 0, 0, 0, 0x21, 0xFE]
        for _ in 0..<5_000_000 { long += [1, 65] }
        #expect(refusal(long, within: 0.5)?.kind == .broken)
    }

    @Test func `an animated WebP of many frames costs one`() throws {
        let webp = try ImageFixtures.bytes("animation/offset-lossless.webp")
        let frame = try #require(webp.indices.first { webp[$0...].starts(with: Array("ANMF".utf8)) })
        let length = Int(webp[frame + 4]) | Int(webp[frame + 5]) << 8
        let one = Array(webp[frame..<(frame + 8 + length)])
        var bytes = webp
        for _ in 0..<(10_000_000 / one.count) { bytes += one }
        #expect(refusal(bytes, within: 0.1) == nil)
    }

    @Test func `a large flat PNG is decoded in bounded memory`() {
        // 49 megapixels of one colour: honest, and the row in hand is all that is held.
        let bytes = PNGMaker.flatGrey(7000, 7000)
        #expect(refusal(bytes) == nil)
    }

    @Test func `a single column and a single row of the longest side are fine`() {
        #expect(refusal(PNGMaker.flatGrey(16_384, 1)) == nil)
        #expect(refusal(PNGMaker.flatGrey(1, 16_384)) == nil)
        #expect(refusal(PNGMaker.flatGrey(1, 1)) == nil)
    }

    // MARK: What is no picture

    @Test(arguments: [
        "<html></html>", "<svg xmlns=\"http://www.w3.org/2000/svg\"><!ENTITY x SYSTEM \"file:///etc/passwd\"></svg>", "%PDF-1.7", "BM6000",
        "II*\0", "\0\0\0\u{1C}ftypheic", "\0\0\0\u{1C}ftypavif", "GIF88a", "RIFF\0\0\0\0WAVE", "x",
    ])
    func `other files are refused by their first bytes`(text: String) {
        #expect(refusal(Array(text.utf8)) == .unsupportedFormat)
    }

    @Test func `nothing is empty, not broken`() {
        #expect(refusal([]) == .empty)
    }

    // MARK: Damage

    @Test(arguments: ImageFixtures.small)
    func `a file cut off at any byte neither traps nor passes for whole`(name: String) throws {
        let whole = try ImageFixtures.bytes(name)
        let target = ImageTarget(maxEdge: 64)
        for length in 0..<whole.count {
            var result: NormalizedImage?
            do throws(ImageError) {
                result = try ImageNormalizer().normalize(Array(whole.prefix(length)), to: target)
                _ = try? ImageHeader.read(Array(whole.prefix(length)))
            } catch {
                #expect([.broken, .empty, .unsupportedFormat].contains(error.kind), "\(length): \(error)")
            }
            // Only what comes after the first frame's pixels may be missing.
            if result != nil {
                if name.hasSuffix("jpg") { Issue.record("\(length) of \(whole.count) bytes passed") }
                #expect(try DecodedJPEG(try #require(result).jpeg).width > 0)
            }
        }
    }

    @Test(arguments: ImageFixtures.small)
    func `damaged bytes neither trap nor hang`(name: String) throws {
        let whole = try ImageFixtures.bytes(name)
        var generator = SplitMix(state: UInt64(whole.count))
        let limits = DecodeLimits(pixels: 1_000_000, time: .seconds(2))
        for _ in 0..<400 {
            var bytes = whole
            for _ in 0...Int.random(in: 0...3, using: &generator) {
                // Headers come first; most damage goes there.
                let range = Bool.random(using: &generator) ? bytes.count : min(bytes.count, 200)
                bytes[Int.random(in: 0..<range, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            if let result = try? ImageNormalizer(limits: limits).normalize(bytes, to: ImageTarget(maxBase64Bytes: 9000, maxEdge: 50)) {
                #expect(result.report.base64Bytes <= 9000)
                #expect(max(result.report.width, result.report.height) <= 50)
            }
        }
    }

    @Test func `what is said to the client names no library and no address`() throws {
        let errors: [ImageError] = [
            .empty, .unsupportedFormat, .unsupportedVariant("it is a lossless JPEG"), .broken("its data is damaged"),
            .tooManyBytes(count: 2, limit: 1),
            .tooManyPixels(width: 2, height: 2, limit: 1), .sideTooLong(side: 2, limit: 1), .tooManyScans(limit: 1),
            .tooMuchMemory(limit: 1),
            .tookTooLong(limit: .seconds(5)), .cannotFit(limit: 1, smallest: 2), .cancelled,
        ]
        for error in errors {
            #expect(error.publicDetail.hasSuffix("."))
            for word in ["lib", "0x", "png_", "Bogus", "/"] { #expect(!error.publicDetail.contains(word)) }
        }
    }
}

/// PNGs put together by hand.
enum PNGMaker {
    static func chunk(_ name: String, _ content: [UInt8]) -> [UInt8] {
        let body = Array(name.utf8) + content
        return big(content.count) + body + big(Int(crc(body)))
    }

    static func png(_ width: Int, _ height: Int, kind: UInt8 = 0, chunks: [[UInt8]]) -> [UInt8] {
        [0x89, 0x50, 0x4E, 0x47, 13, 10, 26, 10] + chunk("IHDR", big(width) + big(height) + [8, kind, 0, 0, 0]) + chunks.flatMap { $0 }
            + chunk("IEND", [])
    }

    /// The pixels of a 1 × 1 grey picture: filter type 0 and one sample, stored.
    static let onePixel = chunk("IDAT", [0x78, 0x01, 0x01, 2, 0, 0xFD, 0xFF, 0, 0, 0, 2, 0, 1])

    static func flatGrey(_ width: Int, _ height: Int) -> [UInt8] {
        png(width, height, chunks: [chunk("IDAT", deflated(zeros: (width + 1) * height))])
    }

    /// Zeros, deflated with the fixed code: a literal, then matches of 258 bytes, each thirteen bits.
    static func deflated(zeros: Int) -> [UInt8] {
        var out: [UInt8] = [0x78, 0x01]
        var bits: UInt64 = 0
        var count = 0
        func put(_ value: UInt64, _ length: Int) {
            bits |= value << UInt64(count)
            count += length
            while count >= 8 {
                out.append(UInt8(bits & 255))
                bits >>= 8
                count -= 8
            }
        }
        put(0b011, 3)  // last block, fixed codes
        var left = zeros
        put(reversed(0x30, 8), 8)  // literal 0
        left -= 1
        while left >= 258 {
            put(reversed(0xC5, 8), 8)  // length 258
            put(0, 5)  // distance 1
            left -= 258
        }
        for _ in 0..<left { put(reversed(0x30, 8), 8) }
        put(0, 7)
        if count > 0 { out.append(UInt8(bits & 255)) }
        // Adler-32 of zeros: the low sum stays 1, the high one counts.
        return out + big((zeros % 65_521) << 16 | 1)
    }

    private static func reversed(_ code: UInt64, _ length: Int) -> UInt64 {
        (0..<length).reduce(0) { $0 | (code >> UInt64($1) & 1) << UInt64(length - 1 - $1) }
    }

    private static func big(_ value: Int) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }

    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
    }

    private static func crc(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(UInt32.max) { table[Int(($0 ^ UInt32($1)) & 255)] ^ ($0 >> 8) }
    }
}
