import Images
import Testing

@Suite struct FitTests {
    private func normalize(_ bytes: [UInt8], _ target: ImageTarget) throws -> NormalizedImage {
        try ImageNormalizer().normalize(bytes, to: target)
    }

    @Test(arguments: [400_000, 200_000, 100_000, 60_000, 30_000, 12_000, 5_000, 2_000])
    func `a photo fits any sensible limit on its base64 text and uses most of it`(limit: Int) throws {
        let photo = try MadeJPEG.photo(1200, 900, quality: 95)
        let result = try normalize(photo, ImageTarget(maxBase64Bytes: limit))
        #expect(Base64.encode(result.jpeg).count <= limit)
        #expect(result.report.base64Bytes == Base64.encode(result.jpeg).count)
        if limit >= 12_000 { #expect(result.report.base64Bytes * 2 > limit) }
        _ = try DecodedJPEG(result.jpeg)
    }

    @Test func `quality goes before size`() throws {
        let photo = try MadeJPEG.photo(600, 400, quality: 95)
        let full = try normalize(photo, ImageTarget(maxBase64Bytes: photo.count))
        #expect(full.report.width == 600)
        let quality = try #require(full.report.quality)
        #expect((15...85).contains(quality))
        let small = try normalize(photo, ImageTarget(maxBase64Bytes: 5_000))
        #expect(small.report.width < 600)
        #expect(small.report.actions.contains { $0.name == "shrunk" })
    }

    @Test func `the search stays above the lowest quality that was asked for`() throws {
        let photo = try MadeJPEG.photo(600, 400, quality: 95)
        for limit in [20_000, 50_000, 100_000] {
            let result = try normalize(photo, ImageTarget(maxBase64Bytes: limit, minQuality: 60))
            #expect(try #require(result.report.quality) >= 60)
            #expect(result.report.base64Bytes <= limit)
        }
    }

    @Test(arguments: [0, 1, 4, 100, 300])
    func `what cannot fit is an error with both figures`(limit: Int) throws {
        let photo = try MadeJPEG.photo(300, 200)
        do {
            _ = try normalize(photo, ImageTarget(maxBase64Bytes: limit))
            Issue.record("it fitted \(limit) bytes")
        } catch ImageError.cannotFit(let reported, let smallest) {
            #expect(reported == limit)
            #expect(smallest > limit)
        }
    }

    @Test func `a JPEG that was allowed never grows`() throws {
        let rough = try MadeJPEG.photo(1000, 750, quality: 20)
        for target in [ImageTarget(maxEdge: 990), ImageTarget(maxBase64Bytes: 1_000_000, maxEdge: 900)] {
            let result = try normalize(rough, target)
            #expect(result.jpeg.count <= rough.count)
            #expect(result.report.actions.contains { $0.name == "reencoded" })
        }
        // Coarser than the lowest quality that a search for fewer bytes may reach.
        for quality in [2, 5, 12] {
            let coarse = try MadeJPEG.photo(1000, 750, quality: quality)
            let result = try normalize(coarse, ImageTarget(maxEdge: 999))
            #expect(result.jpeg.count <= coarse.count)
            #expect(result.report.width == 999)
        }
        for name in ["orientation/jpeg-420-odd-6.jpg", "orientation/jpeg-444-odd-3.jpg", "orientation/jpeg-420-whole-blocks-8.jpg"] {
            let bytes = try ImageFixtures.bytes(name)
            #expect(try normalize(bytes, ImageTarget()).jpeg.count <= bytes.count)
        }
    }

    @Test func `a picture is never enlarged`() throws {
        let result = try normalize(try ImageFixtures.bytes("photos/chelsea.png"), ImageTarget(maxEdge: 5000))
        #expect(result.report.width == 300)
    }

    @Test(arguments: [
        (1030, 772, 512, 512, 384), (750, 975, 512, 394, 512), (5000, 3, 100, 100, 1), (513, 513, 512, 512, 512),
        // What the decoder scales to by itself may be at most 2.5 % shorter than the limit.
        (1008, 756, 512, 504, 378), (750, 1000, 512, 375, 500), (1001, 749, 512, 501, 375), (1024, 768, 512, 512, 384),
        (780, 400, 400, 390, 200), (778, 400, 400, 400, 206), (3120, 1601, 400, 390, 201), (6300, 63, 800, 788, 8),
    ])
    func `the long edge comes up to the limit and the shape stays`(width: Int, height: Int, edge: Int, toWidth: Int, toHeight: Int) throws {
        let picture = try MadeJPEG.rgb(width, height, quality: 60) { x, y in (UInt8(x & 255), UInt8(y & 255), 128) }
        let result = try normalize(picture, ImageTarget(maxEdge: edge))
        #expect([result.report.width, result.report.height] == [toWidth, toHeight])
        #expect(
            result.report.actions.contains(.shrunk(fromWidth: width, fromHeight: height, toWidth: toWidth, toHeight: toHeight)))
    }

    @Test func `a colour may be set for what is transparent`() throws {
        let target = ImageTarget(background: .colour(red: 200, green: 30, blue: 60))
        for name in ["background/white-logo.png", "background/white-logo.webp", "background/white-grey-alpha.png", "animation/offset.gif"] {
            let result = try normalize(try ImageFixtures.bytes(name), target)
            #expect(result.report.actions.contains(.flattened(red: 200, green: 30, blue: 60)))
            let corner = try DecodedJPEG(result.jpeg).pixel(0, 0)
            for (seen, wanted) in zip(corner, [200, 30, 60]) { #expect(abs(Int(seen) - wanted) <= 8) }
        }
    }

    @Test func `cancelling stops the work`() throws {
        let photo = try MadeJPEG.photo(2000, 1500)
        #expect(throws: ImageError.cancelled) {
            try ImageNormalizer().normalize(photo, to: ImageTarget(maxEdge: 1000), isCancelled: { true })
        }
        var asked = 0
        #expect(throws: ImageError.cancelled) {
            try ImageNormalizer().normalize(
                photo, to: ImageTarget(maxEdge: 1000),
                isCancelled: {
                    asked += 1
                    return asked > 20
                })
        }
        #expect(asked == 21)
    }

    @Test func `a picture that takes too long is given up`() throws {
        let photo = try MadeJPEG.photo(3000, 2000)
        let limits = DecodeLimits(time: .milliseconds(1))
        #expect(throws: ImageError.tookTooLong(limit: .milliseconds(1))) {
            try ImageNormalizer(limits: limits).normalize(photo, to: ImageTarget(maxEdge: 1500))
        }
    }
}

@Suite struct RequestBudgetTests {
    @Test(arguments: [
        ([Int](), 100, [Int?]()),
        ([10, 20, 30], 60, [nil, nil, nil]),
        ([10, 20, 30], 59, [nil, nil, 29]),
        ([10, 100, 100], 110, [nil, 50, 50]),
        ([100, 5, 100, 100], 95, [30, nil, 30, 30]),
        ([7, 7], 0, [0, 0]),
        ([Int.max, Int.max], 1000, [500, 500]),
        ([0, -5, 8], 4, [nil, nil, 4]),
    ])
    func `large pictures give first and small ones stay`(sizes: [Int], budget: Int, wanted: [Int?]) {
        let limits = RequestBudget(maxBase64Bytes: budget).limits(forBase64Sizes: sizes)
        #expect(limits == wanted)
    }

    @Test func `the budget is kept for any sizes`() {
        var generator = SplitMix(state: 3)
        for _ in 0..<500 {
            let sizes = (0..<Int.random(in: 1...20, using: &generator)).map { _ in Int.random(in: 0...1000, using: &generator) }
            let budget = Int.random(in: 0...8000, using: &generator)
            let limits = RequestBudget(maxBase64Bytes: budget).limits(forBase64Sizes: sizes)
            #expect(zip(sizes, limits).reduce(0) { $0 + min($1.0, $1.1 ?? .max) } <= budget)
        }
    }
}
