import Foundation
import Logging
import TestSupport
import Testing
import Translate

@testable import OllamaBridge

/// Metrics, status and audit of a running bridge.
@Suite struct ObservationTests {
    private static let usage = StubAnswer.chunk(#"data: {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 5}}"# + "\n\n")

    private func upstream(usage: [UInt8] = Self.usage) throws -> StubUpstream {
        try StubUpstream { connection in
            while true {
                try connection.readRequest()
                try connection.send(StubAnswer.eventStreamHead)
                try connection.send(Say.event("Good day") + Say.event("!"))
                try connection.send(Say.finish + usage + StubAnswer.chunk("data: [DONE]\n\n") + StubAnswer.lastChunk)
            }
        }
    }

    @Test func `metrics count requests, tokens and who was at fault`() async throws {
        let upstream = try upstream()
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let client = try bridge.client()
            #expect(try await client.exchange(Ask.chat()).status == 200)
            #expect(try await client.exchange(Ask.get("/nowhere")).status == 404)
            #expect(try await client.exchange(Ask.post("/api/chat", "{")).status == 400)
            let answer = try await client.exchange(Ask.get("/metrics"))
            #expect(answer.field("content-type")?.hasPrefix("text/plain; version=0.0.4") == true)
            for line in [
                #"ollamabridge_requests_total{route="/api/chat",status="200"} 1"#,
                #"ollamabridge_requests_total{route="/api/chat",status="400"} 1"#,
                #"ollamabridge_requests_total{route="other",status="404"} 1"#,
                #"ollamabridge_errors_total{fault="client"} 2"#, #"ollamabridge_errors_total{fault="upstream"} 0"#,
                #"ollamabridge_tokens_total{model="seer:latest",kind="prompt"} 7"#,
                #"ollamabridge_tokens_total{model="seer:latest",kind="answer"} 5"#,
                #"ollamabridge_first_token_seconds_count{model="seer:latest"} 1"#, "ollamabridge_connections 1",
                #"ollamabridge_breaker_state{provider="stub",state="closed"} 1"#, "# TYPE ollamabridge_request_seconds histogram",
            ] { #expect(answer.text.contains(line), "\(line)") }
        }
    }

    /// Counts are added up, over both kinds and over requests.
    @Test(arguments: [(Int.max, Int.max), (1 << 62, 1 << 62), (Int.min, Int.min), (Int.max, 1), (999_999_999_999_999, 999_999_999_999_999)])
    func `an upstream may say any number of tokens`(prompt: Int, answer: Int) async throws {
        let usage = #"data: {"choices": [], "usage": {"prompt_tokens": \#(prompt), "completion_tokens": \#(answer)}}"# + "\n\n"
        let upstream = try upstream(usage: StubAnswer.chunk(usage))
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url, arguments: ["--api-key", "alice=secret"]) { bridge in
            for path in Path.allCases {
                for request in [Ask.chat(), Ask.chat(stream: false), Ask.openAI()] {
                    let client = try bridge.client()
                    let request = path.of(request).replacing("Content-Type:", with: "Authorization: Bearer secret\r\nContent-Type:")
                    for _ in 0..<2 { #expect(try await client.exchange(request).status == 200) }
                }
            }
        }
    }

    @Test func `names that clients make up do not fill the metrics`() {
        let registry = PrometheusRegistry()
        let series = UsualSeries(registry)
        for number in 0..<UsualSeries.mostModels + 50 { _ = series.ofModel("m\(number)") }
        let text = registry.text()
        #expect(text.contains(#"{model="m7",kind="prompt"} 0"#) && text.contains(#"{model="other",kind="prompt"} 0"#))
        #expect(!text.contains("m\(UsualSeries.mostModels)"))
    }

    @Test func `status names what there is and no key`() async throws {
        let key = "sk-canary-1234567890"
        try await TestBridge.with(arguments: ["--api-key", "alice=\(key)"]) { bridge in
            let client = try bridge.client()
            #expect(try await client.exchange(Ask.get("/bridge/status")).status == 401)
            let answer = try await client.exchange(Ask.get("/bridge/status", headers: "Authorization: Bearer \(key)\r\n"))
            let status = try #require(try JSONParser.parse(answer.body).object)
            #expect(status["state"]?.string == "ready")
            #expect(status["models"]?.array?.count == 2)
            #expect(!answer.text.contains(key))
        }
        #expect(StatusEndpoints.withoutSecrets("https://user:pass@host/v1?key=x") == "https://host/v1")
    }

    @Test(arguments: Path.allCases)
    func `an answer that breaks off counts, behind half a line of an audit that was there`(path: Path) async throws {
        let upstream = try StubUpstream([.request, .send(StubAnswer.eventStreamHead), .bytes(Say.event("Good") + Say.event("day"))])
        defer { upstream.stop() }
        let file = FileManager.default.temporaryDirectory.appending(path: "audit-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("{".utf8).write(to: file)
        let bridge = try await TestBridge.start(upstream: upstream.url, arguments: ["--audit-file", file.path])
        #expect(try await bridge.client().exchange(path.of(Ask.chat())).text.contains("error"))
        await bridge.stop()
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        #expect(lines.first == "{")
        let last = try #require(lines.last)
        let event = try #require(try JSONParser.parse(Array(last.utf8)).object)
        #expect(event["answer_tokens"]?.number?.integer == 2 && event["prompt_tokens"]?.number?.integer ?? 0 > 0, "\(lines)")
        let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test(arguments: [false, true]) func `what an upstream quotes of a question is text too`(withText: Bool) async throws {
        let upstream = try StubUpstream.answering { _ in
            StubAnswer.whole(
                "400 Bad Request", headers: ["Content-Type: application/json"],
                body: #"{"error": {"message": "cannot read zebra", "type": "invalid_request_error"}}"#)
        }
        defer { upstream.stop() }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("audit-\(UUID().uuidString).jsonl")
        defer { try? FileManager.default.removeItem(at: file) }
        let arguments = ["--audit-file", file.path] + (withText ? ["--audit-text"] : [])
        let bridge = try await TestBridge.start(upstream: upstream.url, arguments: arguments)
        for request in [Ask.chat(), Ask.openAI()] {
            #expect(try await bridge.client().exchange(request).text.contains("zebra"))
        }
        await bridge.stop()
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        let errors = try lines.map { try JSONParser.parse(Array($0.utf8)).object?["error"]?.string }
        #expect(errors == .init(repeating: withText ? "cannot read zebra" : "answered with 400, invalid_request_error", count: 2))
    }

    @Test(arguments: [false, true])
    func `the audit has one line a request, with text only if asked for`(withText: Bool) async throws {
        let upstream = try upstream()
        defer { upstream.stop() }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("audit-\(UUID().uuidString).jsonl")
        defer { try? FileManager.default.removeItem(at: file) }
        let key = "sk-canary-0987654321"
        let arguments = ["--api-key", "alice=\(key)", "--audit-file", file.path] + (withText ? ["--audit-text"] : [])
        let bridge = try await TestBridge.start(upstream: upstream.url, arguments: arguments)
        let client = try bridge.client()
        let picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
        let request = Ask.chat(images: [picture]).replacing("Content-Type:", with: "Authorization: Bearer \(key)\r\nContent-Type:")
        #expect(try await client.exchange(request).status == 200)
        #expect(try await client.exchange(Ask.get("/api/tags")).status == 401)
        await bridge.stop()
        let text = try String(contentsOf: file, encoding: .utf8)
        let lines = text.split(separator: "\n")
        #expect(lines.count == 2)
        let event = try #require(try JSONParser.parse(Array(lines[0].utf8)).object)
        #expect(event["client"]?.string == "alice" && event["model"]?.string == "seer:latest" && event["provider"]?.string == "stub")
        #expect(event["prompt_tokens"]?.number?.integer == 7 && event["answer_tokens"]?.number?.integer == 5)
        #expect(event["images"]?.array?.first?.object?["format"]?.string == "png")
        #expect(event["images"]?.array?.first?.object?["sha256"]?.string?.count == 64)
        #expect(event["question"]?.string == (withText ? "Hello" : nil))
        #expect(event["answer"]?.string == (withText ? "Good day!" : nil))
        #expect(!text.contains(key) && !text.contains(picture.prefix(40)))
        let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test func `an audit file is rotated by size and old ones are kept`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("audit-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("audit.jsonl").path
        let audit = try AuditLog(path: path, limit: 100, log: .init(label: "test"))
        for number in 0..<100 { audit.write(Array("{\"number\": \(number), \"filler\": \"xxxxxxxx\"}".utf8)) }
        audit.flush()
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(names == ["audit.jsonl"] + (1...5).map { "audit.jsonl.\($0)" })
        #expect(try String(contentsOfFile: path, encoding: .utf8).contains("\"number\": 99"))
    }
}
