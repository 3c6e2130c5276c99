import Fetch
import Foundation
import NIOCore
import TestSupport
import Testing

@testable import OllamaBridge

/// Slow, rude and too many clients.
@Suite struct ListenerLimitsTests {
    @Test func `headers that trickle are cut off after their time`() async throws {
        try await TestBridge.with(limits: { $0.headerTime = .milliseconds(300) }) { bridge in
            let client = try bridge.client()
            let began = ContinuousClock.now
            try await client.send("GET / HTTP/1.1\r\n")
            // Every byte is activity, and none of it counts.
            for _ in 0..<40 {
                try? await client.send("X")
                try await Task.sleep(for: .milliseconds(20))
            }
            let answer = String(decoding: await client.readToEnd(), as: UTF8.self)
            #expect(answer.hasPrefix("HTTP/1.1 408"))
            #expect(began.duration(to: .now) < .seconds(5))
            #expect(try await bridge.answersHonestly())
        }
    }

    @Test func `a connection that says nothing is closed without a word`() async throws {
        try await TestBridge.with(limits: { $0.headerTime = .milliseconds(200) }) { bridge in
            let client = try bridge.client()
            #expect(await client.readToEnd().isEmpty)
            #expect(try await bridge.answersHonestly())
        }
    }

    @Test func `an idle connection is closed after its time, and not before`() async throws {
        try await TestBridge.with(limits: { $0.keepAlive = .milliseconds(1500) }) { bridge in
            let client = try bridge.client()
            for _ in 0..<4 {
                #expect(try await client.exchange(Ask.get("/api/version")).status == 200)
                try await Task.sleep(for: .milliseconds(500))
            }
            let began = ContinuousClock.now
            #expect(await client.readToEnd().isEmpty)
            #expect(began.duration(to: .now) < .seconds(4))
        }
    }

    @Test func `a body that falls silent is refused`() async throws {
        try await TestBridge.with(limits: { $0.bodyIdle = .milliseconds(200) }) { bridge in
            let client = try bridge.client()
            try await client.send("POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
            #expect(try await client.response().status == 408)
            #expect(await client.readToEnd().isEmpty)
            #expect(try await bridge.answersHonestly())
        }
    }

    @Test func `a body that comes slower than its rate is refused`() async throws {
        let change = { (limits: inout ListenerLimits) in
            limits.bodyGrace = .milliseconds(300)
            limits.bodyBytesPerSecond = 1000
        }
        try await TestBridge.with(limits: change) { bridge in
            let client = try bridge.client()
            try await client.send("POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000\r\n\r\n")
            for _ in 0..<40 {
                try? await client.send("x")
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(String(decoding: await client.readToEnd(), as: UTF8.self).hasPrefix("HTTP/1.1 408"))
        }
    }

    @Test(arguments: Path.allCases)
    func `a client that reads nothing is cut off and its upstream with it`(path: Path) async throws {
        let upstream = try StubUpstream { connection in
            try connection.readRequest()
            try connection.send(StubAnswer.eventStreamHead)
            let event = Say.event(String(repeating: "x", count: 16_000))
            while true { try connection.send(event) }
        }
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url, limits: { $0.writeStall = .milliseconds(800) }) { bridge in
            let client = try bridge.client()
            try await client.send(path.of(Ask.chat()))
            let closing = try await upstream.closings.event(0)
            // The kernel's buffers on both sides, and ours; not the stream.
            #expect(closing.bytesSent < 32 << 20)
            #expect(await ProcessCounts.eventually { bridge.running.parts.fetcher.openTransfers == 0 })
            #expect(try await bridge.answersHonestly())
        }
    }

    @Test(arguments: Path.allCases)
    func `clients that read nothing make room for those who wait`(path: Path) async throws {
        let upstream = try StubUpstream { connection in
            let request = try connection.readRequest()
            try connection.send(StubAnswer.eventStreamHead)
            if request.text.contains("honest") { return try connection.send(Say.stream(["a"])) }
            let event = Say.event(String(repeating: "x", count: 16_000))
            while true { try connection.send(event) }
        }
        defer { upstream.stop() }
        let limits = { (limits: inout ListenerLimits) in limits.crowdedWriteStall = .milliseconds(600) }
        try await TestBridge.with(upstream: upstream.url, arguments: ["--max-running", "4"], limits: limits) { bridge in
            let deaf = try (0..<4).map { _ in try bridge.client() }
            for client in deaf { try await client.send(path.of(Ask.chat())) }
            #expect(await ProcessCounts.eventually { bridge.running.parts.capacity.counts.running == 4 })
            try await Task.sleep(for: .seconds(2))
            // Nobody waits, so nobody is cut off.
            #expect(bridge.running.parts.capacity.counts.running == 4)
            let began = ContinuousClock.now
            let answer = try await bridge.client().exchange(Ask.post("/api/generate", #"{"model": "seer", "prompt": "honest"}"#))
            #expect(answer.text.contains(#""done":true"#))
            #expect(began.duration(to: .now) < .seconds(10))
        }
    }

    @Test func `clients with hundreds of requests in a packet keep nobody else waiting`() async throws {
        try await TestBridge.with { bridge in
            let greedy = try (0..<100).map { _ in try bridge.client() }
            let request = Ask.get("/api/version")
            for client in greedy { try await client.send(String(repeating: request, count: 100)) }
            let honest = try await bridge.client().exchange(Ask.get("/metrics"))
            let line = try #require(honest.text.firstMatch(of: #/ollamabridge_requests_total{route="\/api\/version",status="200"} (\d+)/#))
            #expect(try #require(Int(line.1)) < 8000)
            for client in greedy { #expect(try await client.response().status == 200) }
        }
    }

    @Test func `silent connections make room for an honest one`() async throws {
        try await TestBridge.with(limits: { $0.connections = 8 }) { bridge in
            let silent = try (0..<100).map { _ in try bridge.client() }
            for _ in 0..<5 { #expect(try await bridge.answersHonestly()) }
            #expect(bridge.running.parts.connections.count <= 8)
            for client in silent { client.close() }
        }
    }

    @Test func `a connection over the limit is closed while all others are busy, and they are not disturbed`() async throws {
        let upstream = try StubUpstream([.request, .untilPeerCloses])
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url, limits: { $0.connections = 4 }) { bridge in
            let busy = try (0..<4).map { _ in try bridge.client() }
            for client in busy { try await client.send(Ask.chat()) }
            _ = try await upstream.requests.event(3)
            for _ in 0..<20 {
                let client = try bridge.client()
                #expect(await client.readToEnd().isEmpty)
            }
            #expect(upstream.closings.count == 0)
            busy[0].close()
            _ = try await upstream.closings.event(0)
            #expect(await ProcessCounts.eventually { bridge.running.parts.connections.count == 3 })
            #expect(try await bridge.answersHonestly())
        }
    }

    @Test func `bodies over all requests are bounded`() async throws {
        try await TestBridge.with(limits: { $0.bodyBytesInFlight = 10_000 }) { bridge in
            let holder = try bridge.client()
            try await holder.send("POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n\r\n{")
            #expect(await ProcessCounts.eventually { bridge.running.parts.capacity.counts.bodyBytes == 9000 })
            let refused = try await bridge.client().exchange("POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000\r\n\r\n")
            #expect(refused.status == 503)
            #expect(refused.field("retry-after") == "1")
            holder.close()
            #expect(await ProcessCounts.eventually { bridge.running.parts.capacity.counts.bodyBytes == 0 })
        }
    }

    @Test func `requests over the running ones wait, and over the queue are told that the server is busy`() async throws {
        let gate = TestSupport.Gate()
        let upstream = try StubUpstream { connection in
            while true {
                try connection.readRequest()
                try gate.wait()
                try connection.send(StubAnswer.eventStreamHead)
                try connection.send(Say.stream(["a"]))
            }
        }
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url, arguments: ["--max-running", "1"], environment: ["OLLAMA_MAX_QUEUE": "1"]) {
            bridge in
            let capacity = bridge.running.parts.capacity
            let (first, second) = (try bridge.client(), try bridge.client())
            try await first.send(Ask.chat())
            _ = try await upstream.requests.event(0)
            try await second.send(Ask.chat())
            #expect(await ProcessCounts.eventually { capacity.counts.queued == 1 })
            let third = try await bridge.client().exchange(Ask.chat())
            #expect(third.status == 503)
            #expect(third.field("retry-after") == "1")
            #expect(third.text.contains(#""error":"server busy, please try again.  maximum pending requests exceeded""#))
            gate.open()
            #expect(try await first.response().text.contains(#""done":true"#))
            #expect(try await second.response().text.contains(#""done":true"#))
            #expect(await ProcessCounts.eventually { capacity.counts.running == 0 })
        }
    }

    @Test func `a client that waits in the queue and leaves gives its place up`() async throws {
        let upstream = try StubUpstream([.request, .untilPeerCloses])
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url, arguments: ["--max-running", "1"]) { bridge in
            let capacity = bridge.running.parts.capacity
            let (first, second) = (try bridge.client(), try bridge.client())
            try await first.send(Ask.chat())
            _ = try await upstream.requests.event(0)
            try await second.send(Ask.chat())
            #expect(await ProcessCounts.eventually { capacity.counts.queued == 1 })
            second.close()
            #expect(await ProcessCounts.eventually { capacity.counts.queued == 0 })
            #expect(upstream.requests.count == 1)
        }
    }

    @Test func `a thousand half requests and resets leave nothing behind`() async throws {
        try await TestBridge.with { bridge in
            #expect(try await bridge.answersHonestly())
            let before = ProcessCounts.descriptors
            for round in 0..<1000 {
                let client = try bridge.client()
                switch round % 4 {
                case 0: try await client.send("POST /api/chat HTTP/1.1\r\nHost: loc")
                case 1: try await client.send("POST /api/chat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{\"model\"")
                case 2: try await client.send(Ask.get("/api/tags"))
                default: break
                }
                if round.isMultiple(of: 2) { client.reset() } else { client.close() }
            }
            #expect(await ProcessCounts.eventually { bridge.running.parts.connections.count <= 1 })
            #expect(await ProcessCounts.eventually { ProcessCounts.descriptors <= before + 2 })
            #expect(try await bridge.answersHonestly())
        }
    }
}
