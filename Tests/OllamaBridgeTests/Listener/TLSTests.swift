@testable import Fetch
import Foundation
import NIOCore
import TestSupport
import Testing

@testable import OllamaBridge

/// Clients that speak TLS to the bridge; libcurl plays them.
@Suite(.enabled(if: TestCertificate.canBeMade), .timeLimit(.minutes(2))) struct TLSTests {
    private func with(
        _ identity: TestCertificate, upstream: String = "http://127.0.0.1:9", limits: (inout ListenerLimits) -> Void = { _ in },
        _ test: (TestBridge, Fetcher) async throws -> Void
    ) async throws {
        let arguments = ["--tls-certificate", identity.certificate, "--tls-key", identity.key]
        let fetcher = Fetcher(FetcherConfiguration())
        do {
            try await TestBridge.with(upstream: upstream, arguments: arguments, limits: limits) { try await test($0, fetcher) }
        } catch {
            await fetcher.shutdown()
            throw error
        }
        await fetcher.shutdown()
    }

    private func request(_ bridge: TestBridge, _ path: String, _ body: String? = nil, trusting identity: TestCertificate) -> FetchRequest {
        var request = FetchRequest(
            method: body == nil ? "GET" : "POST", url: "https://localhost:\(bridge.port)\(path)",
            body: body.map { [Array($0.utf8)[...]] } ?? [])
        request.certificateAuthorityFile = identity.certificate
        return request
    }

    private static let chat = #"{"model": "seer", "messages": [{"role": "user", "content": "Hello"}]}"#

    private func isHonestlyAnswered(_ bridge: TestBridge, _ fetcher: Fetcher, trusting identity: TestCertificate) async throws -> Bool {
        let reply = try await fetcher.send(request(bridge, "/api/version", trusting: identity))
        return try await reply.body.collect(upTo: 1000).contains(UInt8(ascii: "{")) && reply.status == 200
    }

    @Test func `a streamed answer arrives whole, line by line`() async throws {
        let words = (0..<300).map { "word\($0) " }
        let upstream = try StubUpstream { connection in
            while true {
                try connection.readRequest()
                try connection.send(StubAnswer.eventStreamHead)
                for word in words { try connection.send(Say.event(word)) }
                try connection.send(Say.stop + StubAnswer.lastChunk)
            }
        }
        defer { upstream.stop() }
        let identity = try TestCertificate()
        try await with(identity, upstream: upstream.url) { bridge, fetcher in
            for _ in 0..<2 {
                let reply = try await fetcher.send(request(bridge, "/api/chat", Self.chat, trusting: identity))
                #expect(reply.status == 200)
                let text = String(decoding: try await reply.body.collect(upTo: 1 << 20), as: UTF8.self)
                let lines = text.split(separator: "\n")
                for (word, line) in zip(words, lines) { #expect(line.contains("\"\(word)\"")) }
                #expect(lines.count == words.count + 1 && lines.last?.contains(#""done":true"#) == true)
            }
        }
    }

    @Test func `a client that leaves ends the upstream's work`() async throws {
        let upstream = try StubUpstream([
            .request, .send(StubAnswer.eventStreamHead), .bytes(Say.event("first")), .untilPeerCloses,
        ])
        defer { upstream.stop() }
        let identity = try TestCertificate()
        try await with(identity, upstream: upstream.url) { bridge, fetcher in
            var reply: FetchReply? = try await fetcher.send(request(bridge, "/api/chat", Self.chat, trusting: identity))
            #expect(reply?.status == 200)
            reply = nil
            _ = try await upstream.closings.event(0)
            #expect(await ProcessCounts.eventually { bridge.running.parts.fetcher.openTransfers == 0 })
            #expect(await ProcessCounts.eventually { bridge.running.parts.connections.count == 0 })
        }
    }

    @Test func `a client that reads nothing is cut off and its upstream with it`() async throws {
        let upstream = try StubUpstream { connection in
            try connection.readRequest()
            try connection.send(StubAnswer.eventStreamHead)
            let event = Say.event(String(repeating: "x", count: 16_000))
            while true { try connection.send(event) }
        }
        defer { upstream.stop() }
        let identity = try TestCertificate()
        try await with(identity, upstream: upstream.url, limits: { $0.writeStall = .milliseconds(800) }) { bridge, fetcher in
            let reply = try await fetcher.send(request(bridge, "/api/chat", Self.chat, trusting: identity))
            let closing = try await upstream.closings.event(0)
            #expect(closing.bytesSent < 32 << 20)
            withExtendedLifetime(reply) {}
            #expect(try await isHonestlyAnswered(bridge, fetcher, trusting: identity))
        }
    }

    /// A record of a ClientHello that never comes whole; nothing; plain HTTP.
    @Test(arguments: ["\u{16}\u{3}\u{1}\u{0}\u{64}\u{1}", "", Ask.get("/api/version")])
    func `a handshake that is never finished has its time and leaves nothing behind`(_ beginning: String) async throws {
        let identity = try TestCertificate()
        try await with(identity, limits: { $0.headerTime = .milliseconds(300) }) { bridge, fetcher in
            #expect(try await isHonestlyAnswered(bridge, fetcher, trusting: identity))
            let before = ProcessCounts.descriptors
            let clients = try (0..<20).map { _ in try bridge.client() }
            for client in clients { try await client.send(beginning) }
            for client in clients { #expect(!String(decoding: await client.readToEnd(), as: UTF8.self).contains("200 OK")) }
            for client in clients { client.close() }
            #expect(await ProcessCounts.eventually { bridge.running.parts.connections.count <= 1 })
            #expect(await ProcessCounts.eventually { ProcessCounts.descriptors <= before + 1 })
            #expect(try await isHonestlyAnswered(bridge, fetcher, trusting: identity))
        }
    }

    @Test func `a new certificate is taken up when told, and one that does not fit leaves the old in force`() async throws {
        let (first, second) = (try TestCertificate(), try TestCertificate())
        try await with(first) { bridge, fetcher in
            let replace = { (files: (certificate: String, key: String)) in
                for (from, to) in [(files.certificate, first.certificate), (files.key, first.key)] where from != to {
                    try Data(contentsOf: URL(fileURLWithPath: from)).write(to: URL(fileURLWithPath: to), options: .atomic)
                }
            }
            let old = try String(contentsOfFile: first.certificate, encoding: .utf8)
            try replace((second.certificate, first.key))
            await bridge.running.reload()
            try old.write(toFile: first.certificate + ".old", atomically: true, encoding: .utf8)
            var request = request(bridge, "/api/version", trusting: first)
            request.certificateAuthorityFile = first.certificate + ".old"
            #expect(try await fetcher.send(request).status == 200)
            try replace((second.certificate, second.key))
            await bridge.running.reload()
            // A fetcher of its own, which has no connection left from before.
            let fresh = Fetcher(FetcherConfiguration())
            #expect(try await isHonestlyAnswered(bridge, fresh, trusting: second))
            await fresh.shutdown()
        }
    }

    @Test func `the certificate's name is a name of this server`() async throws {
        let identity = try TestCertificate(name: "nas.example")
        try await with(identity) { bridge, fetcher in
            var request = FetchRequest(url: "https://nas.example:\(bridge.port)/api/version")
            request.certificateAuthorityFile = identity.certificate
            request.pinnedAddresses = [try #require(IPAddress("127.0.0.1"))]
            #expect(try await fetcher.send(request).status == 200)
        }
    }

    @Test func `the Unix socket stays plain`() async throws {
        let identity = try TestCertificate()
        let path = "/tmp/bridge-\(UInt32.random(in: .min ... .max)).sock"
        let arguments = ["--tls-certificate", identity.certificate, "--tls-key", identity.key, "--unix-socket", path]
        try await TestBridge.with(arguments: arguments) { _ in
            let answer = try await RawClient(unixSocket: path).exchange(Ask.get("/api/version"))
            #expect(answer.status == 200)
        }
    }
}
