import Fetch
import Foundation
import TestSupport
import Testing
import Translate

@testable import OllamaBridge

/// Each fault of an upstream ends in a truthful answer and leaves nothing behind.
@Suite(.timeLimit(.minutes(5))) struct UpstreamFaultTests {
    private static let limits = FetchLimits(connect: .seconds(10), firstByte: .milliseconds(700), idle: .milliseconds(700))

    init() { ProcessCounts.returnLargeBlocksAtOnce() }

    @Test(arguments: UpstreamFault.all) func `an upstream that`(_ fault: UpstreamFault) async throws {
        let upstream = try StubUpstream([.request] + fault.steps)
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url, upstreamLimits: Self.limits) { bridge in
            try await meet(fault, bridge)
            let before = Holdings(bridge)
            for _ in 0..<3 { try await meet(fault, bridge) }
            await before.expectNothingMore(bridge)
            #expect(try await bridge.answersHonestly())
        }
    }

    private func meet(_ fault: UpstreamFault, _ bridge: TestBridge) async throws {
        let client = try bridge.client()
        defer { client.close() }
        let answer = try await client.exchange(Ask.chat())
        let lines = try answer.text.split(separator: "\n").map { try #require(try JSONParser.parse(Array($0.utf8)).object) }
        let last = try #require(lines.last)
        switch fault.outcome {
        case .refused(let status, let words):
            #expect(answer.status == status, "\(answer.text)")
            let error = try #require(last["error"]?.string)
            #expect(lines.count == 1 && (words.isEmpty || error.contains(words)), "\(error)")
        case .brokenOff(let words):
            #expect(answer.status == 200 && lines.count >= 2, "\(answer.text.prefix(500))")
            #expect(lines.first?["message"]?.object?["content"]?.string == "Half")
            #expect(last["error"]?.string.map { words.isEmpty || $0.contains(words) } == true, "\(answer.text.suffix(500))")
            #expect(!answer.text.contains(#""done":true"#))
        case .answered:
            #expect(answer.status == 200 && last["done"]?.bool == true, "\(answer.text.suffix(500))")
            #expect(lines.allSatisfy { $0["error"] == nil })
        }
    }

    @Test func `nobody there, no such name, no TLS: the client learns which kind, and no more`() async throws {
        let (dead, full) = (try DeadPort(), try FullListener())
        defer { full.close() }
        let plain = try StubUpstream { connection in
            try connection.send("HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.waitForPeerClosing()
        }
        defer { plain.stop() }
        for (url, words) in [
            ("http://127.0.0.1:\(dead.port)", "could not connect"), ("http://no-such-name.invalid", "name could not be resolved"),
            ("https://127.0.0.1:\(plain.port)", "no trusted TLS connection"), (full.url, "could not connect"),
        ] {
            let limits = FetchLimits(connect: .milliseconds(500))
            try await TestBridge.with(upstream: url, upstreamLimits: limits) { bridge in
                func askAll() async throws {
                    for request in [Ask.chat(), Ask.chat(stream: false), Ask.embed, Ask.openAI()] {
                        let client = try bridge.client()
                        let answer = try await client.exchange(request)
                        #expect([502, 504].contains(answer.status) && !answer.text.contains("127.0.0.1"), "\(url): \(answer.text)")
                        #expect(url == full.url || answer.text.contains(words), "\(url): \(answer.text)")
                        client.close()
                    }
                }
                try await askAll()
                let before = Holdings(bridge)
                try await askAll()
                // The system's resolver goes on looking for a name after nobody wants it any more.
                await before.expectNothingMore(bridge, within: .seconds(90))
            }
        }
        withExtendedLifetime(dead) {}
    }

    @Test func `a line without end costs a bounded part of memory and is cut off`() async throws {
        let upstream = try StubUpstream { connection in
            try connection.readRequest()
            try connection.send(StubAnswer.eventStreamHead + "data: ")
            let piece = StubAnswer.chunk(String(repeating: "x", count: 1 << 20))
            while true { try connection.send(piece) }
        }
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            #expect(try await bridge.client().exchange(Ask.chat()).status == 502)
            let closing = try await upstream.closings.event(0)
            // The line's limit, and what lies in the sockets between the two.
            #expect(closing.bytesSent < 8 << 20 + 16 << 20)
        }
    }

    @Test func `a trickle is never cut off`() async throws {
        let upstream = try StubUpstream { connection in
            try connection.readRequest()
            try connection.send(StubAnswer.eventStreamHead)
            for number in 0..<12 {
                Thread.sleep(forTimeInterval: 0.25)
                try connection.send(Say.event("\(number) "))
            }
            try connection.send(Say.stop + StubAnswer.lastChunk)
        }
        defer { upstream.stop() }
        // Longer than any limit in all, and shorter each time.
        try await TestBridge.with(upstream: upstream.url, upstreamLimits: Self.limits) { bridge in
            let answer = try await bridge.client().exchange(Ask.chat())
            #expect(answer.text.split(separator: "\n").count == 13 && answer.text.contains(#""done":true"#))
        }
    }

    @Test func `an upstream that names the end and falls silent is not waited for`() async throws {
        let upstream = try StubUpstream([
            .request, .send(StubAnswer.eventStreamHead), .bytes(Say.event("All")), .bytes(Say.finish), .untilPeerCloses,
        ])
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let answer = try await bridge.client().exchange(Ask.chat())
            #expect(answer.text.contains(#""done":true"#) && !answer.text.contains("error"))
            _ = try await upstream.closings.event(0)
        }
    }

    @Test(arguments: Path.allCases, [true, false])
    func `an answer that said why it ended is whole, however its connection ends`(path: Path, stream: Bool) async throws {
        let upstream = try StubUpstream([.request, .send(StubAnswer.eventStreamHead), .bytes(Say.event("All")), .bytes(Say.finish)])
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let answer = try await bridge.client().exchange(path.of(Ask.chat(stream: stream)))
            #expect(["All", #""done":true"#].allSatisfy(answer.text.contains) && !answer.text.contains("error"), "\(answer.text)")
        }
    }

    @Test(arguments: Path.allCases, [true, false])
    func `what an upstream takes before its headers is the model's time`(path: Path, stream: Bool) async throws {
        let upstream = try StubUpstream { connection in
            try connection.readRequest()
            Thread.sleep(forTimeInterval: 0.05)
            try connection.send(StubAnswer.eventStreamHead)
            try connection.send(Say.stream(["All"]))
        }
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let answer = try await bridge.client().exchange(path.of(Ask.chat(stream: stream)))
            let last = try #require(answer.text.split(separator: "\n").last { $0.contains(#""done":true"#) })
            let end = try #require(try JSONParser.parse(Array(last.utf8)).object)
            let times = ["prompt_eval_duration", "eval_duration"].map { end[$0]?.number?.integer ?? 0 }
            #expect(times.allSatisfy { $0 > 1_000_000 } && times.reduce(0, +) >= 50_000_000, "\(answer.text)")
        }
    }

    @Test(arguments: [
        ("404 Not Found", #"{"detail": "Not Found"}"#, 501, "this model does not support embeddings"),
        ("400 Bad Request", #"{"error": {"message": "maximum context length is 5"}}"#, 400, "the input length exceeds the context length"),
        (
            "404 Not Found", #"{"error": {"message": "no such model", "code": "model_not_found"}}"#, 404,
            #"model \"seer\" not found, try pulling it first"#
        ),
    ])
    func `a refusal of embeddings is told as Ollama does`(status: String, body: String, told: Int, error: String) async throws {
        let upstream = try StubUpstream.answering { _ in
            StubAnswer.whole(status, headers: ["Content-Type: application/json"], body: body)
        }
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let answer = try await bridge.client().exchange(Ask.embed)
            #expect(answer.status == told && answer.text.contains(#""error":"\#(error)""#), "\(answer.text)")
        }
    }

    @Test func `a key that an upstream quotes is not passed on`() async throws {
        let key = "sk-canary-5566778899"
        let upstream = try StubUpstream.answering { _ in
            StubAnswer.whole(
                "401 Unauthorized", headers: ["Content-Type: application/json"],
                body: #"{"error": {"message": "Incorrect API key provided: \#(key).", "type": "\#(key)", "code": "\#(key)"}}"#)
        }
        defer { upstream.stop() }
        try await TestBridge.with(environment: ["CANARY": key]) { bridge in
            let models =
                #"{"providers": {"stub": {"base_url": "\#(upstream.url)/v1", "api_key_env": "CANARY"}}, "models": {"seer": {"provider": "stub", "model": "seer"}}}"#
            try models.write(to: bridge.modelsFile, atomically: true, encoding: .utf8)
            await bridge.running.reload()
            for request in [Ask.chat(), Ask.openAI(), Ask.embed] {
                #expect(!(try await bridge.client().exchange(request).text.contains(key)))
            }
        }
    }
}
