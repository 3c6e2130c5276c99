import NIOCore
import TestSupport
import Testing

@testable import OllamaBridge

/// Bodies that are collected where the HTTP parser gives them out.
@Suite(.serialized, .timeLimit(.minutes(2))) struct LargeBodyTests {
    /// No two places look alike, so that nothing can be lost, doubled or moved unseen.
    private static func prompt(_ count: Int) -> String { (0..<(count / 8)).map { String($0 + 10_000_000).dropFirst() + " " }.joined() }

    private static func chat(_ prompt: String, headers: String = "") -> (head: String, body: String) {
        let whole = Ask.post(
            "/api/chat", #"{"model": "seer", "stream": false, "messages": [{"role": "user", "content": "\#(prompt)"}]}"#, headers: headers)
        let parts = whole.split(separator: "\r\n\r\n", maxSplits: 1)
        return (parts[0] + "\r\n\r\n", String(parts[1]))
    }

    private static func upstream() throws -> StubUpstream {
        try StubUpstream.answering { _ in StubAnswer.whole(headers: ["Content-Type: application/json"], body: Say.whole) }
    }

    private static func pieces(_ body: String, _ count: Int) -> [String] {
        let bytes = Array(body.utf8)
        return stride(from: 0, to: bytes.count, by: count).map { String(decoding: bytes[$0..<min($0 + count, bytes.count)], as: UTF8.self) }
    }

    @Test(arguments: [(130_000, 1 << 20), (150_000, 1000), (1_000_000, 70_000), (3_000_000, 1 << 20), (3_000_000, 300_001)])
    func `a body arrives whole however it is cut`(count: Int, cut: Int) async throws {
        let upstream = try Self.upstream()
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let client = try bridge.client()
            for round in 0..<3 {
                let prompt = Self.prompt(count + round * 8)
                let (head, body) = Self.chat(prompt)
                var pieces = Self.pieces(body, cut)
                // The first round's head comes with the beginning of the body, the second's alone; the third is followed by another request.
                if round == 1 { try await client.send(head) } else { pieces[0] = head + pieces[0] }
                if round == 2 { pieces[pieces.count - 1] += Ask.get("/api/version") }
                for (index, piece) in pieces.enumerated() {
                    try await client.send(piece)
                    if index < 5 { try await Task.sleep(for: .milliseconds(3)) }
                }
                #expect(try await client.response().text.contains(#""content":"Hi""#))
                if round == 2 { #expect(try await client.response().text.contains("version")) }
                #expect(try await upstream.requests.event(round).text.contains(prompt))
            }
            #expect(await ProcessCounts.eventually { bridge.running.parts.capacity.counts.bodyBytes == 0 })
        }
    }

    @Test func `a body that waits for permission arrives whole`() async throws {
        let upstream = try Self.upstream()
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let client = try bridge.client()
            let prompt = Self.prompt(500_000)
            let (head, body) = Self.chat(prompt, headers: "Expect: 100-continue\r\n")
            try await client.send(head)
            #expect(try await client.response().status == 100)
            try await client.send(body)
            #expect(try await client.response().status == 200)
            #expect(try await upstream.requests.event(0).text.contains(prompt))
        }
    }

    @Test func `a client that leaves in the middle of its body leaves nothing behind`() async throws {
        let upstream = try Self.upstream()
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let (head, body) = Self.chat(Self.prompt(4_000_000))
            func leave() async throws {
                let client = try bridge.client()
                try await client.send(head + body.prefix(2_000_000))
                #expect(await ProcessCounts.eventually { bridge.running.parts.capacity.counts.bodyBytes > 0 })
                client.close()
                #expect(await ProcessCounts.eventually { bridge.running.parts.capacity.counts.bodyBytes == 0 })
            }
            try await leave()
            let before = Holdings(bridge)
            for _ in 0..<5 { try await leave() }
            await before.expectNothingMore(bridge)
            #expect(upstream.requests.count == 0)
        }
    }

    @Test func `a large body that falls silent is refused`() async throws {
        try await TestBridge.with(limits: { $0.bodyIdle = .milliseconds(300) }) { bridge in
            let client = try bridge.client()
            let (head, body) = Self.chat(Self.prompt(1_000_000))
            try await client.send(head + body.prefix(500_000))
            #expect(try await client.response().status == 408)
            #expect(await client.readToEnd().isEmpty)
            #expect(await ProcessCounts.eventually { bridge.running.parts.capacity.counts.bodyBytes == 0 })
        }
    }
}
