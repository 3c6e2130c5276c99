import Fetch
import Foundation
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct SendingTests {
    /// Pieces of uneven size that make up the given number of bytes.
    private func pieces(_ total: Int) -> [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var left = total
        var size = 1
        while left > 0 {
            let count = min(size, left)
            pieces.append([UInt8](repeating: UInt8(truncatingIfNeeded: pieces.count), count: count)[...])
            left -= count
            size = size * 3 % 300_007 + 1
        }
        return pieces
    }

    @Test(arguments: [0, 1, 1000, 32 * 1024, 32 * 1024 + 1, 65_535, 65_536, 65_537, 1 << 20, 6_000_001])
    func `a body in pieces arrives whole, with its length`(_ total: Int) async throws {
        let stub = try StubUpstream.answering { _ in StubAnswer.whole(body: "ok") }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            let body = pieces(total) + [[]]
            let request = FetchRequest(method: "POST", url: stub.url, headers: [("Content-Type", "application/json")], body: body)
            #expect(try await fetcher.text(request) == "ok")
            let seen = try await stub.requests.event(0)
            #expect(seen.field("Content-Length") == "\(total)")
            #expect(seen.body == Array(body.joined()))
            #expect(seen.field("Expect") == nil)
            #expect(seen.field("Transfer-Encoding") == nil)
        }
    }

    @Test func `requests copied from one send each its own body`() async throws {
        let stub = try StubUpstream.answering { _ in StubAnswer.whole(body: "ok") }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            let first = FetchRequest(method: "POST", url: stub.url + "/a?b=c", headers: [("Content-Type", "text/plain"), ("X-Key", "1")])
            var other = first
            other.headers = [("X-Key", "2")]
            let bodies = [[1], [], [UInt8](repeating: 2, count: 40_000), [3, 4], [UInt8](repeating: 5, count: 32_768), [6]]
            for (index, body) in bodies.enumerated() {
                let request = index == 3 ? other : first
                #expect(try await fetcher.text(request.with(body: [body[...]])) == "ok")
                let seen = try await stub.requests.event(index)
                #expect(seen.body == body && seen.field("Content-Length") == "\(body.count)")
                #expect(seen.field("X-Key") == (index == 3 ? "2" : "1") && seen.field("Content-Type") == (index == 3 ? nil : "text/plain"))
                #expect(seen.line == "POST /a?b=c HTTP/1.1")
                #expect(seen.field("User-Agent") == "OllamaBridge")
            }
            #expect(fetcher.openConnections == 1)
        }
    }

    @Test func `a hundred megabytes go out without being joined`() async throws {
        let count = EventLog<Int>()
        let stub = try StubUpstream { connection in
            let head = try connection.readHead()
            #expect(String(decoding: head, as: UTF8.self).contains("Content-Length: 104857600\r\n"))
            // Read in large steps and thrown away, so that only one side of the test holds the body.
            var left = 104_857_600
            while left > 0 {
                let step = min(left, 1 << 16)
                _ = try connection.read(step)
                left -= step
            }
            count.append(104_857_600)
            try connection.send(StubAnswer.whole(body: "ok"))
        }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            let piece = [UInt8](repeating: 65, count: 1 << 20)
            let before = residentBytes()
            let request = FetchRequest(method: "POST", url: stub.url, body: Array(repeating: piece[...], count: 100))
            #expect(try await fetcher.text(request) == "ok")
            _ = try await count.event(0)
            // The hundred pieces share their storage; a joined copy would show, whatever the tests beside this one take. Sanitizers keep
            // memory back on purpose, so under them only the bytes count.
            #expect(isSanitized || residentBytes() - before < 95 << 20)
        }
    }

    @Test func `headers go out as given, and ours only where none was given`() async throws {
        let stub = try StubUpstream.answering { _ in StubAnswer.whole() }
        defer { stub.stop() }
        try await withFetcher(FetcherConfiguration(userAgent: "Test/1")) { fetcher async throws in
            let headers = [
                ("Authorization", "Bearer sk-1"), ("X-Empty", ""), ("Content-Length", "7"), ("Host", "evil"), ("Expect", "100-continue"),
                ("Transfer-Encoding", "chunked"), ("X-Umlaut", "ä"),
            ]
            _ = try await fetcher.text(FetchRequest(method: "POST", url: stub.url + "/p", headers: headers, body: [[1, 2]]))
            let seen = try await stub.requests.event(0)
            #expect(seen.field("authorization") == "Bearer sk-1")
            #expect(seen.field("X-Empty") == "")
            #expect(seen.field("X-Umlaut") == "ä")
            #expect(seen.field("User-Agent") == "Test/1")
            #expect(seen.fields.filter { $0.name.lowercased() == "content-length" }.map(\.value) == ["2"])
            #expect(seen.fields.filter { $0.name.lowercased() == "host" }.map(\.value) == ["127.0.0.1:\(stub.port)"])
            for name in ["Expect", "Transfer-Encoding", "Content-Type", "Accept-Encoding", "Cookie"] { #expect(seen.field(name) == nil) }
            _ = try await fetcher.text(FetchRequest(url: stub.url, headers: [("user-agent", "Mine/2")]))
            #expect(try await stub.requests.event(1).fields.filter { $0.name.lowercased() == "user-agent" }.map(\.value) == ["Mine/2"])
        }
    }

    @Test(arguments: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
    func `the method goes out as given`(_ method: String) async throws {
        let stub = try StubUpstream.answering { request in
            request.method == "HEAD" ? Array("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n".utf8) : StubAnswer.whole(body: "ok")
        }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            #expect(try await fetcher.text(FetchRequest(method: method, url: stub.url)) == (method == "HEAD" ? "" : "ok"))
            #expect(try await stub.requests.event(0).line == "\(method) / HTTP/1.1")
        }
    }

    @Test(arguments: [
        ("GET\r\nX: y", "X", "y"), ("", "X", "y"), ("G T", "X", "y"), ("GET", "X\r\nY", "z"), ("GET", "", "z"), ("GET", "X:", "z"),
        ("GET", "X", "a\r\nY: b"),
        ("GET", "X", "a\nb"), ("GET", "X", "a\0b"), ("GET", "X ", "z"),
    ]) func `what would break the request's lines is refused before anything is sent`(_ method: String, _ name: String, _ value: String)
        async throws
    {
        let stub = try StubUpstream.answering { _ in StubAnswer.whole() }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            let error = await fetchError {
                _ = try await fetcher.send(FetchRequest(method: method, url: stub.url, headers: [(name, value)]))
            }
            #expect(error?.kind == "badRequest")
            #expect(stub.connections.count == 0)
        }
    }

    @Test func `neither a request nor an error shows a key`() async throws {
        let key = "sk-canary-8d1f"
        let dead = try DeadPort()
        defer { withExtendedLifetime(dead) {} }
        let request = FetchRequest(
            method: "POST", url: "http://127.0.0.1:\(dead.port)/v1?key=\(key)",
            headers: [("Authorization", "Bearer \(key)"), ("X", "a\r\n\(key)")],
            body: [Array(key.utf8)[...]])
        var dumped = ""
        dump(request, to: &dumped)
        #expect(!"\(request) \(String(reflecting: request)) \(dumped)".contains(key))
        try await withFetcher { fetcher async throws in
            for headers in [request.headers, Array(request.headers.prefix(1))] {
                var attempt = request
                attempt.headers = headers
                let error = await fetchError { _ = try await fetcher.send(attempt) }
                #expect(error != nil)
                #expect(!"\(String(reflecting: error))".contains(key))
            }
        }
    }

    @Test func `an early answer ends the sending of the body`() async throws {
        let stub = try StubUpstream { connection in
            _ = try connection.readHead()
            try connection.send("HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")
            connection.waitForPeerClosing()
        }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            let body = [ArraySlice<UInt8>](repeating: [UInt8](repeating: 7, count: 1 << 20)[...], count: 64)
            let reply = try await fetcher.send(FetchRequest(method: "POST", url: stub.url, body: body, limits: .patient))
            #expect(reply.status == 413)
            #expect(try await reply.body.collect(upTo: 10) == Array("big".utf8))
        }
    }

    @Test func `timings say when the request was out and when the answer began`() async throws {
        let stub = try StubUpstream { connection in
            while true {
                try connection.readRequest()
                try? Gate().wait(patience: 0.05)
                try connection.send(StubAnswer.whole(body: "ok"))
            }
        }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            for expected in [false, true] {
                let reply = try await fetcher.send(
                    FetchRequest(method: "POST", url: stub.url, body: [[UInt8](repeating: 1, count: 100_000)[...]]))
                let written = try #require(reply.timings.requestWritten)
                #expect(reply.timings.firstByte - written > .milliseconds(40))
                #expect(reply.timings.connectionReused == expected)
                _ = try await reply.body.collect(upTo: 10)
            }
        }
    }

    @Test func `a Unix socket stands in for the host`() async throws {
        let path = "/tmp/fetch-test-\(UInt64.random(in: 0...UInt64.max)).sock"
        let stub = try StubUpstream(unixSocket: path) { connection in
            try connection.readRequest()
            try connection.send(StubAnswer.whole(body: "local"))
        }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            #expect(try await fetcher.text(FetchRequest(url: "http://model.local/v1", unixSocket: path)) == "local")
            #expect(try await stub.requests.event(0).field("Host") == "model.local")
        }
    }

    @Test(arguments: [1_000, 1 << 20]) func `a body is let go of once the answer has begun`(count: Int) async throws {
        let stub = try StubUpstream([.request, .send(StubAnswer.eventStreamHead), .untilPeerCloses])
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            var body = [UInt8](repeating: 1, count: count)
            let reply = try await fetcher.send(FetchRequest(method: "POST", url: stub.url, body: [body[...]], limits: .patient))
            let before = unsafe body.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
            // Writing to an array that somebody else holds too makes a copy of it.
            body[0] = 2
            let after = unsafe body.withUnsafeBufferPointer { UInt(bitPattern: $0.baseAddress) }
            #expect(before == after)
            reply.body.cancel()
        }
    }
}

/// Whether a sanitizer watches this process.
private let isSanitized = unsafe dlsym(nil, "__tsan_init") != nil || dlsym(nil, "__asan_init") != nil

/// How much memory this process has in use.
func residentBytes() -> Int {
    let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ").dropFirst().first.flatMap {
        Int($0)
    }
    return (pages ?? 0) * 4096
}
