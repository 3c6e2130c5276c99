import Images
import Testing

/// Every file of fixtures/images against what was known of its pixels before it was encoded.
@Suite struct FixtureTests {
    @Test func `there are fixtures`() {
        #expect(ImageFixtures.facts.count > 100)
    }

    @Test(arguments: ImageFixtures.facts)
    func `a picture comes out upright, in its colours, on its background`(fact: ImageFact) throws {
        let bytes = try ImageFixtures.bytes(fact.file)
        let result = try ImageNormalizer().normalize(bytes, to: ImageTarget())
        let decoded = try DecodedJPEG(result.jpeg)
        #expect(decoded.width == fact.width)
        #expect(decoded.height == fact.height)
        let distance = decoded.distance(to: fact.grid)
        #expect(distance <= fact.tolerance, "\(result.report.actions)")
        let names = result.report.actions.map(\.name)
        if let action = fact.action { #expect(names.contains(action)) }
        if let sampling = fact.sampling { #expect(result.report.chromaSubsampling.rawValue == sampling) }
        let laid = result.report.actions.compactMap { action in
            if case .flattened(let red, let green, let blue) = action { [red, green, blue] } else { nil as [UInt8]? }
        }
        switch fact.background {
        case "white": #expect(laid == [[255, 255, 255]])
        case "dark": #expect(laid == [[32, 32, 32]])
        default: break
        }
        #expect(result.report.width == decoded.width)
        #expect(result.report.height == decoded.height)
        #expect(result.report.bytes == result.jpeg.count)
        #expect(result.report.sourceBytes == bytes.count)
    }

    @Test(arguments: ImageFixtures.facts)
    func `no metadata is left in what goes out`(fact: ImageFact) throws {
        let result = try ImageNormalizer().normalize(try ImageFixtures.bytes(fact.file), to: ImageTarget())
        for segment in JPEGSegments(result.jpeg).list where (0xE0...0xEF).contains(segment.code) || segment.code == 0xFE {
            let isKnown =
                segment.code == 0xE0 && segment.content.count == 14
                || segment.code == 0xE2 && segment.content.starts(with: Array("ICC_PROFILE\0".utf8))
                || segment.code == 0xEE && segment.content.starts(with: Array("Adobe".utf8))
            #expect(isKnown, "marker \(segment.code)")
        }
    }

    @Test(arguments: ImageFixtures.facts)
    func `a shrunk picture keeps its shape and colours`(fact: ImageFact) throws {
        let long = max(fact.width, fact.height)
        for edge in [long - 1, long * 3 / 4, long * 2 / 5] {
            let result = try ImageNormalizer().normalize(try ImageFixtures.bytes(fact.file), to: ImageTarget(maxEdge: edge))
            let decoded = try DecodedJPEG(result.jpeg)
            #expect(max(decoded.width, decoded.height) == edge)
            let exact = Double(min(fact.width, fact.height)) * Double(edge) / Double(long)
            #expect(abs(Double(min(decoded.width, decoded.height)) - exact) <= 0.5001)
            #expect((decoded.width >= decoded.height) == (fact.width >= fact.height))
            // The cells no longer hold quite the same pixels, so a single one may differ more.
            if exact >= 40 { #expect(decoded.meanDistance(to: fact.grid) <= 6, "\(edge)") }
        }
    }

    @Test(arguments: ImageFixtures.facts)
    func `the same picture gives the same bytes, and what came out passes through unchanged`(fact: ImageFact) throws {
        let bytes = try ImageFixtures.bytes(fact.file)
        let target = ImageTarget(maxBase64Bytes: 60_000, maxEdge: 300)
        let once = try ImageNormalizer().normalize(bytes, to: target)
        #expect(try ImageNormalizer().normalize(bytes, to: target) == once)
        let again = try ImageNormalizer().normalize(once.jpeg, to: target)
        #expect(again.jpeg == once.jpeg)
        #expect(again.report.actions.first == .passedThrough)
    }

    @Test(arguments: ImageFixtures.facts)
    func `the header agrees with the report`(fact: ImageFact) throws {
        let bytes = try ImageFixtures.bytes(fact.file)
        let header = try ImageHeader.read(bytes)
        let report = try ImageNormalizer().normalize(bytes, to: ImageTarget()).report
        #expect(header.width == report.sourceWidth)
        #expect(header.height == report.sourceHeight)
        #expect(header.format == report.sourceFormat)
        #expect(Set([header.width, header.height]) == Set([fact.width, fact.height]))
    }
}

/// The segments of a JPEG up to its first scan.
struct JPEGSegments {
    private(set) var list: [(code: UInt8, content: ArraySlice<UInt8>)] = []

    init(_ jpeg: [UInt8]) {
        var at = 2
        while at + 4 <= jpeg.count, jpeg[at] == 0xFF {
            let length = Int(jpeg[at + 2]) << 8 | Int(jpeg[at + 3])
            guard at + 2 + length <= jpeg.count else { return }
            list.append((jpeg[at + 1], jpeg[(at + 4)..<(at + 2 + length)]))
            if jpeg[at + 1] == 0xDA { return }
            at += 2 + length
        }
    }
}
