import CTurboJPEG
import Images
import Testing

@Suite struct PassThroughTests {
    /// A segment with its marker and length.
    private func segment(_ code: UInt8, _ content: [UInt8]) -> [UInt8] {
        let length = content.count + 2
        return [0xFF, code, UInt8(length >> 8), UInt8(length & 255)] + content
    }

    /// The part that holds the picture: from the first table to the end marker.
    private func coded(_ jpeg: [UInt8]) -> ArraySlice<UInt8> {
        var at = 2
        while jpeg[at + 1] >= 0xE0 { at += 2 + Int(jpeg[at + 2]) << 8 + Int(jpeg[at + 3]) }
        return jpeg[at...]
    }

    private func exif(_ orientation: UInt8) -> [UInt8] {
        Array("Exif\0\0".utf8) + Array("II*\0".utf8) + [8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0]
    }

    private func normalize(_ bytes: [UInt8], _ target: ImageTarget = ImageTarget()) throws -> NormalizedImage {
        try ImageNormalizer().normalize(bytes, to: target)
    }

    @Test(arguments: ["photos/astronaut.jpg", "photos/astronaut-progressive.jpg", "photos/retina.jpg", "colour/grey.jpg"])
    func `coded pixels stay byte for byte while everything about people and places goes`(name: String) throws {
        let plain = try ImageFixtures.bytes(name)
        let jfif = Array("JFIF\0".utf8) + [1, 2, 1, 0, 72, 0, 72, 2, 1] + [UInt8](repeating: 9, count: 6)
        let head =
            segment(0xE0, jfif) + segment(0xE0, Array("JFXX\0thumbnail".utf8)) + segment(0xE1, exif(1))
            + segment(0xE1, Array("http://ns.adobe.com/xap/1.0/\0<gps/>".utf8)) + segment(0xED, Array("Photoshop 3.0\0name".utf8))
            + segment(0xE2, Array("MPF\0second".utf8)) + segment(0xFE, Array("by me".utf8))
        let dressed = [0xFF, 0xD8] + head + coded(plain) + plain + Array("a film".utf8)
        let result = try normalize(dressed)
        #expect(coded(result.jpeg) == coded(plain))
        #expect(JPEGSegments(result.jpeg).list.filter { $0.code >= 0xE0 }.map(\.code) == [0xE0])
        #expect(JPEGSegments(result.jpeg).list[0].content.count == 14)
        #expect(result.report.quality == nil)
        #expect(result.report.actions.map(\.name) == ["passed_through", "metadata_stripped", "trailing_bytes_cut"])
        _ = try DecodedJPEG(result.jpeg)
    }

    @Test func `a clean picture comes back as it went in`() throws {
        let plain = try normalize(try ImageFixtures.bytes("photos/astronaut.jpg")).jpeg
        let result = try normalize(plain)
        #expect(result.jpeg == plain)
        #expect(result.report.actions == [.passedThrough])
    }

    @Test func `the colour profile and Adobe's marker stay`() throws {
        let result = try normalize(try ImageFixtures.bytes("colour/profile.jpg"))
        #expect(JPEGSegments(result.jpeg).list.contains { $0.code == 0xE2 && $0.content.starts(with: Array("ICC_PROFILE\0".utf8)) })
        let rgb = try normalize(try ImageFixtures.bytes("colour/rgb-stored.jpg"))
        #expect(JPEGSegments(rgb.jpeg).list.contains { $0.code == 0xEE })
    }

    /// T.81 G.1.1.1.1: no decoder takes a scan of such parameters.
    @Test func `a progressive JPEG whose scans make no sense is not passed on`() throws {
        let whole = try normalize(try ImageFixtures.bytes("photos/astronaut-progressive.jpg")).jpeg
        let scans = whole.indices.filter { whole[$0...].starts(with: [0xFF, 0xDA]) }
        func parameters(_ scan: Int) -> Int { scan + Int(whole[scan + 2]) << 8 + Int(whole[scan + 3]) - 1 }
        let first = parameters(scans[0])
        let ac = try #require(scans.map(parameters).first { whole[$0] > 0 })
        #expect(whole[first...].prefix(2).elementsEqual([0, 0]))
        for (what, at, value) in [
            ("pixels' mean and more in one", first + 1, 5), ("more than the last coefficient", ac + 1, 64), ("backwards", ac + 1, 0),
            ("a bit twice", first + 2, 0x20), ("bits that no coefficient has", first + 2, 0x0E),
        ] as [(String, Int, UInt8)] {
            var bytes = whole
            bytes[at] = value
            #expect(try ImageNormalizer().strip(&bytes, for: ImageTarget()) == nil, "\(what)")
        }
    }

    @Test func `what stands behind the pixels turns nothing`() throws {
        let whole = try normalize(try ImageFixtures.bytes("photos/astronaut.jpg")).jpeg
        let behind = Array(whole.dropLast(2)) + segment(0xE1, exif(6)) + [0xFF, 0xD9]
        let result = try normalize(behind)
        #expect(result.report.width == result.report.sourceWidth && coded(result.jpeg) == coded(whole))
    }

    /// Such tables make no code, and no decoder takes them.
    @Test func `a JPEG whose codes make no sense is not passed on`() throws {
        let whole = try normalize(try ImageFixtures.bytes("photos/astronaut.jpg")).jpeg
        let table = try #require(whole.firstRange(of: [0xFF, 0xC4])).upperBound + 2
        #expect(whole[table] == 0, "the first table is one of DC")
        var damaged: [(what: String, bytes: [UInt8])] = [("a DC difference of 16 bits", whole)]
        damaged[0].bytes[table + 17] = 16
        for (length, count) in [(1, 2), (1, 3), (2, 5)] {
            var bytes = whole
            let last = try #require((1...16).last { bytes[table + $0] >= UInt8(count) && $0 > length })
            bytes[table + last] -= UInt8(count)
            bytes[table + length] += UInt8(count)
            damaged.append(("\(count) more codes of \(length) bits", bytes))
        }
        for (what, bytes) in damaged {
            var bytes = bytes
            #expect(try ImageNormalizer().strip(&bytes, for: ImageTarget()) == nil, "\(what)")
            #expect(ImageNormalizer().strip(text: Base64.encode(bytes)[...], for: ImageTarget()) == nil, "\(what)")
        }
    }

    @Test(arguments: [1, 6]) func `nothing travels behind the fields of Adobe's marker`(orientation: UInt8) throws {
        let stored = try MadeJPEG.rgb(48, 32, quality: 95, sampling: TJSAMP_444) { x, y in (UInt8(x * 5), UInt8(y * 7), 9) }
        let adobe = Array("Adobe".utf8) + [0, 100, 0, 0, 0, 0, 1]
        for more in ["", "Jane Doe, 1 Example Street"] {
            let marker = segment(0xEE, adobe + Array(more.utf8))
            let result = try normalize([0xFF, 0xD8] + segment(0xE1, exif(orientation)) + marker + stored.dropFirst(2))
            #expect(result.jpeg.firstRange(of: Array("Jane".utf8)) == nil)
            #expect(result.report.actions.contains(.reencoded) == !more.isEmpty)
            _ = try DecodedJPEG(result.jpeg)
        }
    }

    @Test(arguments: 2...8)
    func `turning by blocks moves every pixel to where a viewer shows it`(orientation: Int) throws {
        // Without coarser colours nothing is smoothed, so the decoded pixels must agree exactly but for rounding.
        let stored = try MadeJPEG.rgb(48, 32, quality: 95, sampling: TJSAMP_444) { x, y in
            (UInt8(x * 5), UInt8(y * 7), UInt8((x * y) & 255))
        }
        let before = try DecodedJPEG(stored)
        let result = try normalize([0xFF, 0xD8] + segment(0xE1, exif(UInt8(orientation))) + stored.dropFirst(2))
        #expect(result.report.actions.first == .turnedLosslessly(orientation: orientation))
        let after = try DecodedJPEG(result.jpeg)
        #expect(after.width == (orientation >= 5 ? 32 : 48))
        for y in 0..<after.height {
            for x in 0..<after.width {
                let from =
                    switch orientation {
                    case 2: (47 - x, y)
                    case 3: (47 - x, 31 - y)
                    case 4: (x, 31 - y)
                    case 5: (y, x)
                    case 6: (y, 31 - x)
                    case 7: (47 - y, 31 - x)
                    default: (47 - y, x)
                    }
                for (a, b) in zip(before.pixel(from.0, from.1), after.pixel(x, y)) { #expect(abs(Int(a) - Int(b)) <= 3) }
            }
        }
    }

    @Test func `turning four times by blocks gives the first coefficients again`() throws {
        let first = try MadeJPEG.photo(64, 48)
        var jpeg = first
        for _ in 0..<4 { jpeg = try normalize([0xFF, 0xD8] + segment(0xE1, exif(6)) + jpeg.dropFirst(2)).jpeg }
        #expect(try DecodedJPEG(jpeg).pixels == DecodedJPEG(first).pixels)
    }

    @Test func `a progressive picture stays progressive when it is turned`() throws {
        let stored = try MadeJPEG.rgb(64, 64, progressive: true) { x, y in (UInt8(x * 4), UInt8(y * 4), 90) }
        let result = try normalize([0xFF, 0xD8] + segment(0xE1, exif(6)) + stored.dropFirst(2))
        #expect(JPEGSegments(result.jpeg).list.contains { $0.code == 0xC2 })
    }

    @Test(arguments: ["photos/astronaut.jpg", "photos/astronaut-progressive.jpg", "colour/cmyk-adobe.jpg"])
    func `a JPEG cut off anywhere near its end is broken`(name: String) throws {
        let whole = try ImageFixtures.bytes(name)
        for missing in [1, 2, 3, 100, 1000, whole.count / 2] {
            #expect(throws: ImageError.broken("its data ends too early")) { try normalize(Array(whole.dropLast(missing))) }
        }
        // The same with an end marker put behind the cut, as some downloaders do.
        if name.contains("cmyk") {
            #expect(throws: ImageError.broken("its data ends too early")) { try normalize(whole.dropLast(whole.count / 2) + [0xFF, 0xD9]) }
        }
    }

    @Test func `a header that promises more than the file can hold does not pass`() throws {
        var jpeg = try MadeJPEG.photo(64, 64)
        let frame = try #require(jpeg.indices.first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 })
        jpeg.replaceSubrange((frame + 5)..<(frame + 9), with: [0x17, 0x70, 0x17, 0x70])
        #expect(throws: ImageError.broken("its data ends too early")) { try normalize(jpeg) }
    }

    @Test func `other kinds of JPEG are named, not guessed at`() throws {
        let jpeg = try MadeJPEG.photo(64, 64)
        let frame = try #require(jpeg.indices.first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 })
        func changed(_ offset: Int, _ value: UInt8) -> [UInt8] {
            var copy = jpeg
            copy[frame + offset] = value
            return copy
        }
        #expect(throws: ImageError.unsupportedVariant("it is a lossless JPEG")) { try normalize(changed(1, 0xC3)) }
        #expect(throws: ImageError.unsupportedVariant("it is a hierarchical JPEG")) { try normalize(changed(1, 0xC5)) }
        #expect(throws: ImageError.unsupportedVariant("it is a JPEG with 12 bits a channel")) { try normalize(changed(4, 12)) }
        #expect(throws: ImageError.broken("the picture has no width or no height")) {
            var copy = changed(5, 0)
            copy[frame + 6] = 0
            return try normalize(copy)
        }
    }
}
