import Testing

@testable import OllamaBridge

@Suite struct PlainRequestTests {
    private static let body = #"{"model":"m"}"#

    private static func request(_ fields: String, line: String = "POST /api/chat HTTP/1.1", body: String = body) -> String {
        "\(line)\r\n\(fields)\r\n\(body)"
    }

    private static let plain = request(
        "Host: localhost:11434\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\nContent-Length: 13\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    )

    private func read(_ text: String) -> PlainRequest.Reading { PlainRequest.read(Array(text.utf8).span) }

    @Test(arguments: [
        plain,
        request("hOST:localhost:11434\r\nCONTENT-LENGTH:  13 \t\r\n"),
        request("Content-Length: 13\r\nConnection: Keep-Alive\r\nAuthorization: Bearer x\r\nX-Any: \r\nHost: localhost:11434\r\n"),
    ])
    func `a plain request is found whole`(text: String) throws {
        guard case .whole(let request) = read(text) else { return #expect(Bool(false), "\(read(text))") }
        let bytes = Array(text.utf8)
        #expect(request.route == .chat)
        #expect(String(decoding: bytes[request.host], as: UTF8.self) == "localhost:11434")
        #expect(String(decoding: bytes[request.body], as: UTF8.self) == Self.body)
    }

    @Test func `generate is told from chat`() {
        let text = Self.plain.replacing("/api/chat", with: "/api/generate")
        guard case .whole(let request) = read(text) else { return #expect(Bool(false)) }
        #expect(request.route == .generate)
    }

    @Test func `every beginning of a plain request is incomplete, and nothing may follow it`() {
        let bytes = Array(Self.plain.utf8)
        for end in bytes.indices {
            #expect(PlainRequest.read(Array(bytes[..<end]).span) == .incomplete, "cut at \(end)")
        }
        #expect(read(Self.plain + "P") == .other)
    }

    /// What another reader could take for something else, or what the fast path has no answer to.
    @Test(arguments: [
        request("Host: a\r\nContent-Length: 13\r\n", line: "GET /api/chat HTTP/1.1"),
        request("Host: a\r\nContent-Length: 13\r\n", line: "POST /api/tags HTTP/1.1"),
        request("Host: a\r\nContent-Length: 13\r\n", line: "POST /api/chat?x HTTP/1.1"),
        request("Host: a\r\nContent-Length: 13\r\n", line: "POST /api/chat HTTP/1.0"),
        request("Host: a\r\nContent-Length: 13\r\n", line: "POST  /api/chat HTTP/1.1"),
        request("Content-Length: 13\r\n"),
        request("Host: \r\nContent-Length: 13\r\n"),
        request("Host: a\r\nHost: a\r\nContent-Length: 13\r\n"),
        request("Host: a\r\n"),
        request("Host: a\r\nContent-Length: 13\r\nContent-Length: 13\r\n"),
        request("Host: a\r\nContent-Length: +13\r\n"),
        request("Host: a\r\nContent-Length: 13, 13\r\n"),
        request("Host: a\r\nContent-Length: 0x0d\r\n"),
        request("Host: a\r\nContent-Length: \r\n"),
        request("Host: a\r\nContent-Length: 00000013\r\n"),
        request("Host: a\r\nContent-Length: 99999999999999999999\r\n"),
        request("Host: a\r\nContent-Length: 0\r\n", body: ""),
        request("Host: a\r\nContent-Length: 65536\r\n"),
        request("Host: a\r\nContent-Length: 12\r\n"),
        request("Host: a\r\nContent-Length: 13\r\nTransfer-Encoding: chunked\r\n"),
        request("Host: a\r\nContent-Length: 13\r\nTransfer-Encoding : chunked\r\n"),
        request("Host: a\r\nContent-Length: 13\r\nContent-Encoding: gzip\r\n"),
        request("Host: a\r\nContent-Length: 13\r\nExpect: 100-continue\r\n"),
        request("Host: a\r\nContent-Length: 13\r\nConnection: close\r\n"),
        request("Host: a\r\nContent-Length: 13\r\nConnection: keep-alive, upgrade\r\n"),
        request("Host: a\r\nContent-Length: 13\r\nUpgrade: h2c\r\n"),
        request("Host: a\r\nContent-Length: 13\r\nOrigin: http://evil.example\r\n"),
        request("Host: a\r\nContent-Length: 13\r\nSec-Fetch-Site: cross-site\r\n"),
        request("Host: a\r\nContent-Length: 13\r\n folded: x\r\n"),
        request("Host: a\r\nContent-Length: 13\r\nX: a\r\n b\r\n"),
        request("Host: a\r\nContent-Length: 13\r\nX: a\nY: b\r\n"),
        request("Host: a\r\nContent-Length: 13\r\nX: a\rb\r\n"),
        request("Host: a\r\nContent-Length: 13\r\nX: a\u{0}\r\n"),
        request("Host: a\r\nContent-Length: 13\r\nX: ü\r\n"),
        request("Host: a\r\nContent-Length: 13\r\nX y: a\r\n"),
        request("Host: a\r\nContent-Length: 13\r\n: a\r\n"),
        request("Host: a\r\nContent-Length: 13\r\nX\r\n"),
        request("Host: a\r\nContent-Length: 13\r\n" + String(repeating: "X: y\r\n", count: 64)),
        request("Host: a\r\nContent-Length: 13\r\nX: " + String(repeating: "y", count: 8192) + "\r\nZ: z\r\n"),
    ])
    func `everything else is the server library's`(text: String) {
        #expect(read(text) == .other)
    }

    @Test func `a head that never ends is not waited for`() {
        #expect(
            read("POST /api/chat HTTP/1.1\r\n" + String(repeating: "X: \(String(repeating: "y", count: 500))\r\n", count: 17)) == .other)
    }
}
