import ArgumentParser
import Foundation
import TestSupport
import Testing

@testable import OllamaBridge

/// A request whose head or framing is doubtful, and the status it is refused with.
struct DoubtfulRequest: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let text: String
    let status: Int

    init(_ description: String, _ text: String, _ status: Int) {
        testDescription = description
        self.text = text
        self.status = status
    }

    private static let body = "Content-Length: 2\r\n\r\n{}"

    static let all: [DoubtfulRequest] = [
        .init("no Host", "GET / HTTP/1.1\r\n\r\n", 400),
        .init("no Host on HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 400),
        .init("two Hosts", "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400),
        .init("empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400),
        .init("Host is only a port", "GET / HTTP/1.1\r\nHost: :11434\r\n\r\n", 400),
        .init("open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400),
        .init("rubbish after the bracket", "GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n", 400),
        .init("port with letters", "GET / HTTP/1.1\r\nHost: localhost:80a\r\n\r\n", 400),
        .init("port too long", "GET / HTTP/1.1\r\nHost: localhost:123456\r\n\r\n", 400),
        .init("user name in Host", "GET / HTTP/1.1\r\nHost: a@localhost\r\n\r\n", 400),
        .init("space in Host", "GET / HTTP/1.1\r\nHost: local host\r\n\r\n", 400),
        .init("list in Host", "GET / HTTP/1.1\r\nHost: localhost, evil\r\n\r\n", 400),
        .init("path in Host", "GET / HTTP/1.1\r\nHost: localhost/x\r\n\r\n", 400),
        .init("absolute form for another host", "GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        .init("absolute form with a user name", "GET http://localhost@evil/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        .init("absolute form of another scheme", "GET ftp://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        .init("star for GET", "GET * HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        .init("CONNECT", "CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        .init("TRACE", "TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        .init("chunked on HTTP/1.0", "POST /api/show HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        .init("packed chunks", "POST /api/show HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
        .init("length and chunked", "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\(body)", 400),
        .init("two lengths", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\(body)", 400),
        .init("negative length", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400),
        .init("overflowing length", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n", 400),
        .init("bad chunk size", "POST /api/show HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        .init("space before colon", "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
        .init("NUL in a field", "GET / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n", 400),
        .init("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        .init("unknown expectation", "POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 200-ok\r\n\(body)", 417),
        .init("long target", "GET /\(String(repeating: "a", count: 8192)) HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        .init("large field", "GET / HTTP/1.1\r\nHost: localhost\r\nX: \(String(repeating: "a", count: 16_500))\r\n\r\n", 431),
        .init(
            "large head",
            "GET / HTTP/1.1\r\nHost: localhost\r\n" + (0..<9).map { "X\($0): \(String(repeating: "a", count: 4000))\r\n" }.joined()
                + "\r\n",
            431),
        .init("many fields", "GET / HTTP/1.1\r\nHost: localhost\r\n" + (0..<101).map { "X\($0): 1\r\n" }.joined() + "\r\n", 431),
    ]
}

@Suite struct RequestRulesTests {
    @Test func `a doubtful request is refused and its connection closed`() async throws {
        try await TestBridge.with { bridge in
            for request in DoubtfulRequest.all {
                let client = try bridge.client()
                try await client.send(request.text)
                let answer = try await client.response()
                #expect(answer.status == request.status, "\(request.testDescription)")
                client.endWriting()
                #expect(await client.readToEnd().isEmpty, "\(request.testDescription)")
            }
            #expect(try await bridge.answersHonestly())
        }
    }

    @Test func `what is just within the limits is answered`() async throws {
        try await TestBridge.with { bridge in
            let path = "/" + String(repeating: "a", count: 8191)
            let client = try bridge.client()
            #expect(try await client.exchange(Ask.get(path)).status == 404)
            let fields = (0..<99).map { "X\($0): 1\r\n" }.joined()
            #expect(try await bridge.client().exchange(Ask.get("/api/version", headers: fields)).status == 200)
            #expect(
                try await bridge.client().exchange("GET http://localhost/api/version HTTP/1.1\r\nHost: localhost\r\n\r\n").status == 200)
        }
    }

    @Test(arguments: ["evil.example", "evil.example:11434", "localhost.evil.example", "127.0.0.1.nip.io", "localhost.", "box.local"])
    func `a foreign Host is refused before the body is read`(host: String) async throws {
        try await TestBridge.with { bridge in
            let answer = try await bridge.client().exchange(
                "POST /api/chat HTTP/1.1\r\nHost: \(host)\r\nContent-Length: 1000000\r\n\r\n")
            #expect(answer.status == 403)
            #expect(answer.body.isEmpty)
            #expect(answer.field("connection") == "close")
        }
    }

    @Test(arguments: ["localhost", "localhost:1", "127.0.0.1", "[::1]:11434", "10.0.0.7", "app.localhost", "host.docker.internal"])
    func `a Host that cannot be rebound is answered`(host: String) async throws {
        try await TestBridge.with { bridge in
            let client = try bridge.client()
            #expect(try await client.exchange("GET /api/version HTTP/1.1\r\nHost: \(host)\r\n\r\n").status == 200)
        }
    }

    @Test func `a name that the operator gave the server is answered, and nothing near it`() async throws {
        try await TestBridge.with(arguments: ["--allow-host", "NAS.lan"], environment: ["OLLAMA_BRIDGE_ALLOW_HOSTS": "ai.example"]) {
            bridge in
            for (host, status) in [
                ("nas.lan", 200), ("nas.lan:11434", 200), ("AI.example", 200), ("x.nas.lan", 403), ("nas.lan.evil", 403),
            ] {
                let answer = try await bridge.client().exchange("GET /api/version HTTP/1.1\r\nHost: \(host)\r\n\r\n")
                #expect(answer.status == status, "\(host)")
            }
        }
        #expect(throws: StartupError.self) {
            try Settings(flags: try ServeFlags.parse(["--allow-host", "http://nas.lan"]), environment: [:])
        }
    }

    @Test(arguments: ["https://evil.example", "null", "http://localhost.evil.example"])
    func `a foreign Origin is refused on the request itself`(origin: String) async throws {
        try await TestBridge.with { bridge in
            let body = #"{"model": "seer", "messages": []}"#
            let answer = try await bridge.client().exchange(
                Ask.post("/api/chat", body, headers: "Origin: \(origin)\r\nContent-Type: text/plain\r\n"))
            #expect(answer.status == 403)
        }
    }

    @Test func `permission to send a body is given only to requests that are taken`() async throws {
        try await TestBridge.with { bridge in
            let client = try bridge.client()
            let body = #"{"model": "seer"}"#
            let expect = "Host: localhost\r\nExpect: 100-continue\r\n"
            try await client.send("POST /api/show HTTP/1.1\r\n\(expect)Content-Length: \(body.utf8.count)\r\n\r\n")
            #expect(try await client.response().status == 100)
            try await client.send(body)
            #expect(try await client.response().status == 200)

            let large = try await bridge.client().exchange("POST /api/chat HTTP/1.1\r\n\(expect)Content-Length: 200000000\r\n\r\n")
            #expect(large.status == 413)
            let unknown = try await bridge.client().exchange("POST /nowhere HTTP/1.1\r\n\(expect)Content-Length: 2\r\n\r\n")
            #expect(unknown.status == 404)
        }
    }

    @Test func `a compressed body is refused, never inflated`() async throws {
        try await TestBridge.with { bridge in
            let client = try bridge.client()
            #expect(try await client.exchange(Ask.post("/api/chat", "{}", headers: "Content-Encoding: gzip\r\n")).status == 415)
        }
    }

    @Test func `pipelined requests are answered in order`() async throws {
        try await TestBridge.with { bridge in
            let client = try bridge.client()
            let paths = ["/api/version", "/health", "/nowhere", "/api/tags", "/ready"]
            try await client.send(paths.map { Ask.get($0) }.joined() + Ask.get("/api/ps", headers: "Connection: close\r\n"))
            for status in [200, 200, 404, 200, 200] { #expect(try await client.response().status == status) }
            let last = try await client.response()
            #expect(last.field("connection") == "close")
            #expect(await client.readToEnd().isEmpty)
        }
    }

    @Test func `an HTTP/1.0 client gets a stream that ends with the connection`() async throws {
        let upstream = try StubUpstream([.request, .send(StubAnswer.eventStreamHead), .bytes(Say.stream(["a", "b"])), .untilPeerCloses])
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let answer = try await bridge.client().exchange(Ask.chat().replacing("HTTP/1.1", with: "HTTP/1.0"))
            #expect(answer.head.hasPrefix("HTTP/1.0 200"))
            #expect(answer.field("transfer-encoding") == nil)
            #expect(answer.text.split(separator: "\n").count == 3)
        }
    }

    @Test func `a client that closes its side after a cheap request still gets the answer`() async throws {
        try await TestBridge.with { bridge in
            let client = try bridge.client()
            try await client.send(Ask.get("/api/tags"))
            client.endWriting()
            #expect(try await client.response().status == 200)
            #expect(await client.readToEnd().isEmpty)
        }
    }
}
