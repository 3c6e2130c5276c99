import Fetch
import Foundation
import Images
import TestSupport
import Testing
import Translate

@testable import OllamaBridge

@Suite(.timeLimit(.minutes(1))) struct PictureConverterTests {
    private static func withConverter(cacheBytes: Int = 1 << 20, _ body: (PictureConverter) async throws -> Void) async throws {
        let workers = PictureWorkers()
        let fetcher = ImageFetcher()
        try await body(
            PictureConverter(workers: workers, fetcher: fetcher, cache: PictureCache(limit: cacheBytes), limits: .standard))
        await fetcher.shutdown()
        try await workers.stop()
    }

    private static func convert(_ text: [UInt8], _ converter: PictureConverter) async throws -> (base64: [UInt8], fromCache: Bool) {
        let done = try await converted(text, converter, named: false)
        return (Array(done.picture.base64.pieces.joined()), done.fromCache)
    }

    private static func converted(_ text: [UInt8], _ converter: PictureConverter, named: Bool, limit: Int? = nil) async throws
        -> PictureConverter.Converted
    {
        var target = ImageTarget()
        target.maxEdge = limit
        return try await converter.convert(
            .encoded(text[...]), fetched: nil, to: target, pixels: PixelAllowance(100_000_000), named: named)
    }

    @Test func `a picture that goes as it is costs the cache next to nothing, and is found again`() async throws {
        let plain = try ImageNormalizer().normalize(try Fixtures.bytes("images/photos/astronaut.jpg"), to: ImageTarget()).jpeg
        let text = Base64.encode(plain)
        try await Self.withConverter { converter async throws in
            for turn in 0..<3 {
                // In each turn the text is another array, of another request.
                let (base64, fromCache) = try await Self.convert(Array(text), converter)
                #expect(base64 == text)
                #expect(fromCache == (turn > 0))
            }
            #expect(converter.cache.counts.bytes == 4096)
            // Not even where its text is not what is sent.
            let commented = plain[..<2] + [0xFF, 0xFE, 0, 3, 65] + plain[2...]
            for turn in 0..<2 {
                let (base64, fromCache) = try await Self.convert(Base64.encode(Array(commented)), converter)
                #expect(base64 == text)
                #expect(fromCache == (turn > 0))
            }
            #expect(converter.cache.counts.bytes == 8192)
        }
    }

    @Test func `the same picture in other spellings is the same text upstream, turn for turn`() async throws {
        let plain = try ImageNormalizer().normalize(try Fixtures.bytes("images/photos/astronaut.jpg"), to: ImageTarget()).jpeg
        // Metadata that moves the picture by a multiple of three, so that its text is shared, and by one more, so that it is not.
        for length in [8, 9] {
            let source = Array(plain[..<2] + [0xFF, 0xFE, 0, UInt8(length + 2)] + [UInt8](repeating: 65, count: length) + plain[2...])
            let text = Base64.encode(source)
            let url = Array("data:image/png;base64,".utf8) + text
            let wrapped = text.enumerated().flatMap { (item) -> [UInt8] in item.offset % 76 == 75 ? [item.element, 10] : [item.element] }
            try await Self.withConverter { converter async throws in
                for spelling in [text, url, wrapped, text, url, wrapped, wrapped, text] {
                    #expect(try await Self.convert(spelling, converter).base64 == Base64.encode(plain))
                }
                #expect(try await Self.convert(text, converter).fromCache)
                #expect(try await Self.convert(wrapped, converter).fromCache)
            }
        }
    }

    @Test func `a picture is never taken for another, however alike their texts begin and end`() async throws {
        let plain = try ImageNormalizer().normalize(try Fixtures.bytes("images/photos/astronaut.jpg"), to: ImageTarget()).jpeg
        try await Self.withConverter { converter async throws in
            for place in 0..<4 {
                var other = plain
                // Inside the coded pixels; no marker comes of it.
                other[plain.count - 2000 + place] = 0x11
                #expect(try await Self.convert(Base64.encode(other), converter).base64 == Base64.encode(other))
            }
        }
    }

    @Test(arguments: [nil, 64]) func `a picture has its SHA-256 whenever it is wanted, kept or not`(limit: Int?) async throws {
        let photo = try Fixtures.bytes("images/photos/astronaut.jpg")
        let wanted = "\(PictureDigest(of: photo))"
        let text = Base64.encode(photo)
        for order in [[false, true, false, true], [true, false, true]] {
            try await Self.withConverter { converter async throws in
                for (turn, named) in order.enumerated() {
                    let done = try await Self.converted(text, converter, named: named, limit: limit)
                    #expect(done.fromCache == (turn > 0))
                    #expect(done.picture.digest.map { "\($0)" } == wanted || !named)
                }
            }
        }
    }

    @Test func `a JPEG that goes as it came is not hashed for nothing`() async throws {
        let text = Base64.encode(try ImageNormalizer().normalize(try Fixtures.bytes("images/photos/astronaut.jpg"), to: ImageTarget()).jpeg)
        try await Self.withConverter { converter async throws in
            #expect(try await Self.converted(text, converter, named: false).picture.digest == nil)
        }
    }

    @Test func `what a picture may still cost in pixels holds for those that go as they came`() async throws {
        let text = Base64.encode(try Fixtures.bytes("images/photos/astronaut.jpg"))
        try await Self.withConverter { converter async throws in
            await #expect(throws: ImageFault.self) {
                try await converter.convert(
                    .encoded(text[...]), fetched: nil, to: ImageTarget(), pixels: PixelAllowance(1000), named: false)
            }
        }
    }

    @Test func `without a cache everything is converted each time`() async throws {
        let text = Base64.encode(try Fixtures.bytes("images/photos/astronaut.jpg"))
        try await Self.withConverter(cacheBytes: 0) { converter async throws in
            let first = try await Self.convert(text, converter)
            let second = try await Self.convert(text, converter)
            #expect(!first.fromCache && !second.fromCache && first.base64 == second.base64)
        }
    }
}
