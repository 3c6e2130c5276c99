import TestSupport
import Testing

@testable import Fetch

@Suite(.timeLimit(.minutes(1))) struct RedirectTests {
    /// Answers `/0` with a redirect to `/1` and so on; the last step answers with a picture.
    private func chain(_ length: Int, status: Int = 302) throws -> StubUpstream {
        try StubUpstream.answering { request in
            let step = Int(request.target.dropFirst()) ?? 0
            if step >= length { return StubAnswer.whole(body: "picture") }
            return StubAnswer.whole("\(status) Elsewhere", headers: ["Location: /\(step + 1)"])
        }
    }

    @Test(arguments: [0, 1, 2, 3]) func `up to three redirects are followed`(_ length: Int) async throws {
        let stub = try chain(length)
        defer { stub.stop() }
        try await withImageFetcher { fetcher async throws in
            let image = try await fetcher.fetch(stub.url + "/0")
            #expect(image.bytes == Array("picture".utf8))
            #expect(image.redirects == length)
        }
    }

    @Test(arguments: [4, 1000]) func `a fourth redirect is one too many`(_ length: Int) async throws {
        let stub = try chain(length)
        defer { stub.stop() }
        try await withImageFetcher { fetcher async throws in
            #expect(await imageError(fetcher, stub.url + "/0") == .tooManyRedirects)
            #expect(stub.requests.count == 4)
        }
    }

    @Test(arguments: [301, 302, 303, 307, 308]) func `every kind of redirect is followed with GET`(_ status: Int) async throws {
        let stub = try chain(1, status: status)
        defer { stub.stop() }
        try await withImageFetcher { fetcher async throws in
            #expect(try await fetcher.text(stub.url + "/0") == "picture")
            #expect(stub.requests.all.map(\.method) == ["GET", "GET"])
        }
    }

    /// What a redirect may not lead to, with `PORT` for a listener that must stay untouched.
    @Test(
        arguments: ForbiddenURLTests.loopback + ForbiddenURLTests.elsewhere + [
            "//127.0.0.1:PORT/", "//[::1]:PORT/", "///127.0.0.1:PORT/", "http:127.0.0.1:PORT/", "http:///127.0.0.1:PORT/",
        ])
    func `a redirect inside is refused`(_ target: String) async throws {
        let inside = try StubUpstream.answering { _ in StubAnswer.whole(body: "inside") }
        let location = target.replacing("PORT", with: "\(inside.port)")
        let outside = try StubUpstream.answering { _ in StubAnswer.whole("302 Found", headers: ["Location: \(location)"]) }
        defer {
            inside.stop()
            outside.stop()
        }
        // Only the first hop's port is opened; the rest of this machine stays shut.
        try await withImageFetcher(allowed: ["127.0.0.1:\(outside.port)"]) { fetcher async throws in
            let error = await imageError(fetcher, outside.url)
            #expect(error == .addressNotAllowed || error == .unsupportedURL)
            #expect(outside.requests.count == 1)
            #expect(inside.connections.count == 0)
        }
    }

    @Test(arguments: [
        "file:///etc/passwd", "gopher://127.0.0.1:PORT/", "dict://127.0.0.1:PORT/x", "ftp://127.0.0.1:PORT/", "data:image/png;base64,AAAA",
        "http://user:pw@127.0.0.1:PORT/", "javascript:alert(1)", "http://", "http://127.0.0.1:PORT/a b",
    ]) func `a redirect to something else than the web is refused`(_ target: String) async throws {
        let stub = try StubUpstream { connection in
            try connection.readRequest()
            let location = target.replacing("PORT", with: "1")
            try connection.send(StubAnswer.whole("302 Found", headers: ["Location: \(location)"]))
            connection.waitForPeerClosing()
        }
        defer { stub.stop() }
        try await withImageFetcher { fetcher async throws in
            #expect(await imageError(fetcher, stub.url) == .addressNotAllowed)
        }
    }

    @Test func `a loop ends`() async throws {
        let stub = try StubUpstream.answering { _ in StubAnswer.whole("302 Found", headers: ["Location: /again"]) }
        defer { stub.stop() }
        try await withImageFetcher { fetcher async throws in
            #expect(await imageError(fetcher, stub.url + "/again") == .tooManyRedirects)
        }
    }

    @Test func `a redirect without a place is an answer with that status`() async throws {
        let stub = try StubUpstream.answering { _ in StubAnswer.whole("302 Found") }
        defer { stub.stop() }
        try await withImageFetcher { fetcher async throws in
            #expect(await imageError(fetcher, stub.url) == .status(302))
        }
    }

    @Test func `https never leads to http`() throws {
        let policy = HopPolicy(allowed: AllowedHosts(), ownEndpoints: [])
        let secure = try policy.parse("https://pictures.example/a")
        #expect(throws: ImageFetchError.addressNotAllowed) { try policy.follow("http://pictures.example/a", from: secure) }
        #expect(try policy.follow("//other.example/b?c=d#e", from: secure).text == "https://other.example/b?c=d")
        let open = try policy.parse("http://pictures.example/a/b")
        #expect(try policy.follow("https://pictures.example/a", from: open).scheme == "https")
        #expect(try policy.follow("../c", from: open).text == "http://pictures.example/c")
    }
}
