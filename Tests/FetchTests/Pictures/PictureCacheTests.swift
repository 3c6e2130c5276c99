import TestSupport
import Testing

@testable import Fetch

@Suite(.timeLimit(.minutes(1))) struct PictureCacheTests {
    @Test func `a fresh picture is not asked for again`() async throws {
        let stub = try StubUpstream.answering { _ in StubAnswer.whole(headers: ["Cache-Control: max-age=60"], body: "picture") }
        defer { stub.stop() }
        try await withImageFetcher { fetcher async throws in
            let images = [try await fetcher.fetch(stub.url + "/a"), try await fetcher.fetch(stub.url + "/a#other")]
            #expect(images.map(\.cameFromCache) == [false, true])
            #expect(images[0].bytes == images[1].bytes)
            #expect(try await !fetcher.fetch(stub.url + "/a?b").cameFromCache)
            #expect(stub.requests.count == 2)
        }
    }

    @Test func `a stale picture is asked about and used again if it has not changed`() async throws {
        let stub = try StubUpstream.answering { request in
            if request.field("If-None-Match") == "\"v1\"", request.field("If-Modified-Since") == "Sun, 06 Nov 1994 08:49:37 GMT" {
                return Array("HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n".utf8)
            }
            return StubAnswer.whole(headers: ["ETag: \"v1\"", "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT"], body: "picture")
        }
        defer { stub.stop() }
        try await withImageFetcher { fetcher async throws in
            for expected in [false, true, true] {
                let image = try await fetcher.fetch(stub.url)
                #expect(image.bytes == Array("picture".utf8))
                #expect(image.cameFromCache == expected)
            }
            #expect(stub.requests.count == 3)
        }
    }

    @Test func `a changed picture takes the old one's place`() async throws {
        let answers = EventLog<Int>()
        let stub = try StubUpstream.answering { _ in
            answers.append(1)
            return StubAnswer.whole(headers: ["ETag: \"\(answers.count)\""], body: "version \(answers.count)")
        }
        defer { stub.stop() }
        try await withImageFetcher { fetcher async throws in
            #expect(try await fetcher.text(stub.url) == "version 1")
            #expect(try await fetcher.text(stub.url) == "version 2")
            #expect(stub.requests.all.map { $0.field("If-None-Match") } == [nil, "\"1\""])
        }
    }

    @Test(arguments: [
        ["Cache-Control: no-store, max-age=60"], ["Cache-Control: private, max-age=60"], ["Cache-Control: max-age=60", "Vary: *"],
        ["Cache-Control: max-age=0"], [], ["Expires: Sun, 06 Nov 1994 08:49:37 GMT"], ["Cache-Control: max-age=60", "Age: 60"],
    ]) func `is not kept`(_ headers: [String]) async throws {
        let stub = try StubUpstream.answering { _ in StubAnswer.whole(headers: headers, body: "picture") }
        defer { stub.stop() }
        try await withImageFetcher { fetcher async throws in
            for _ in 0..<2 { #expect(try await !fetcher.fetch(stub.url).cameFromCache) }
            #expect(stub.requests.count == 2)
            #expect(fetcher.cachedBytes == 0)
        }
    }

    @Test func `an error is not kept`() async throws {
        let stub = try StubUpstream.answering { _ in StubAnswer.whole("404 Not Found", headers: ["Cache-Control: max-age=60"]) }
        defer { stub.stop() }
        try await withImageFetcher { fetcher async throws in
            for _ in 0..<2 { #expect(await imageError(fetcher, stub.url) == .status(404)) }
            #expect(stub.requests.count == 2)
        }
    }

    @Test func `the cache never holds more than it may, and what was used last stays`() {
        let cache = PictureCache(limit: 10_000)
        let rules = CacheRules(FetchHeaders([("ETag", "x")]), now: 0)!
        for index in 0..<50 {
            cache.store(PictureCache.Entry(bytes: [UInt8](repeating: 0, count: 1000), rules: rules), for: "u\(index)")
            _ = cache["u0"]
            #expect(cache.byteCount <= 10_000)
        }
        #expect(cache["u0"] != nil)
        #expect(cache["u49"] != nil)
        #expect(cache["u1"] == nil)
        cache.store(PictureCache.Entry(bytes: [UInt8](repeating: 0, count: 9000), rules: rules), for: "giant")
        #expect(cache["giant"] == nil)
        #expect(cache["u0"] != nil)
    }

    @Test(arguments: [
        ([("Cache-Control", "max-age=60")], 60), ([("Cache-Control", "MAX-AGE=\"60\"")], 60),
        ([("Cache-Control", "max-age=60"), ("Age", "20")], 40),
        ([("Cache-Control", "max-age=60, s-maxage=10")], 10), ([("Cache-Control", "no-cache, max-age=60"), ("ETag", "x")], 0),
        ([("Expires", "Sun, 06 Nov 1994 08:50:37 GMT"), ("Date", "Sun, 06 Nov 1994 08:49:37 GMT")], 60),
        ([("Cache-Control", "max-age=99999999999999999999"), ("ETag", "x")], 0), ([("Cache-Control", "max-age=999999999")], 604_800),
        ([("Cache-Control", "max-age=-5"), ("ETag", "x")], 0), ([("Cache-Control", "max-age=60"), ("Age", "-99999999999999999999")], 60),
    ]) func `freshness follows the headers`(_ headers: [(String, String)], _ seconds: Int) {
        #expect(CacheRules(FetchHeaders(headers.map { (name: $0.0, value: $0.1) }), now: 1000)?.freshUntil == 1000 + seconds)
    }
}
