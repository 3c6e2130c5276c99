import Fetch
import Foundation
import NIOCore
import TestSupport
import Testing

@testable import OllamaBridge

/// What becomes of a connection that begins on the fast path.
@Suite(.timeLimit(.minutes(2))) struct FastPathTests {
    private static let usual = try? StubUpstream.answering { _ in
        StubAnswer.whole(headers: ["Content-Type: application/json"], body: Say.whole)
    }

    /// A bridge whose upstream gives a whole answer to everything.
    private func with(limits: (inout ListenerLimits) -> Void = { _ in }, _ test: (TestBridge) async throws -> Void) async throws {
        let upstream = try #require(Self.usual)
        try await TestBridge.with(upstream: upstream.url, limits: limits, test)
    }

    @Test func `a stream takes two descriptors, the client's and the upstream's`() async throws {
        let go = TestSupport.Gate()
        let upstream = try StubUpstream { connection in
            try connection.readRequest()
            try connection.send(Array(StubAnswer.eventStreamHead.utf8) + Say.event("first"))
            try go.wait()
            try connection.send(Say.stop + StubAnswer.lastChunk)
        }
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let clients = try (0..<8).map { _ in try bridge.client() }
            #expect(await ProcessCounts.eventually { bridge.running.parts.connections.count == 8 })
            let before = ProcessCounts.descriptors
            for client in clients {
                try await client.send(Ask.chat())
                _ = try await client.read(upTo: "first")
            }
            // The stub runs in this process and holds the other end of each.
            #expect(ProcessCounts.descriptors <= before + 16)
            go.open()
            for client in clients { _ = try await client.read(upTo: "0\r\n\r\n") }
        }
    }

    /// The client is gone before an error line behind the text is written: its descriptor's number may be somebody else's by then.
    @Test func `what is left to say to a client that is gone is said to nobody`() async throws {
        let (gates, sent) = (Gates(30), EventLog<Bool>())
        let upstream = try StubUpstream { connection in
            try connection.readRequest()
            try connection.send(Array(StubAnswer.eventStreamHead.utf8) + Say.event("first"))
            try gates.next().wait()
            try connection.send(Say.event("more") + StubAnswer.chunk(#"data: {"error": {"message": "boom"}}"# + "\n\n"))
            sent.append(true)
            connection.waitForPeerClosing()
        }
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            for round in 0..<30 {
                let client = try bridge.client()
                try await client.send(Ask.chat())
                _ = try await client.read(upTo: "first")
                let (isHeld, release) = (EventLog<Bool>(), TestSupport.Gate())
                bridge.running.parts.fetcher.perform { _ in
                    isHeld.append(true)
                    try? release.wait()
                }
                _ = try await isHeld.event(0)
                gates.open(round)
                _ = try await sent.event(round)
                client.reset()
                let takers = NumberTakers()
                release.open()
                #expect(await ProcessCounts.eventually { bridge.running.parts.connections.count == 0 })
                #expect(takers.stop().isEmpty)
            }
        }
    }

    /// Java's client offers HTTP/2 with its first request. The parser stops behind such a request and would keep all that comes.
    @Test func `who offers another protocol is answered, told that it was the last, and heard no further`() async throws {
        try await with { bridge in
            for request in [Ask.get("/api/version"), Ask.chat(stream: false)] {
                let client = try bridge.client()
                let offer = "Host: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
                try await client.send(request.replacing("Host: localhost\r\n", with: offer))
                let answer = try await client.response()
                #expect(answer.status == 200 && answer.field("connection") == "close")
                #expect(await client.readToEnd().isEmpty)
            }
        }
    }

    @Test func `a connection may ask for anything, in any order`() async throws {
        try await with { bridge in
            let client = try bridge.client()
            for _ in 0..<2 {
                #expect(try await client.exchange(Ask.chat(stream: false)).text.contains(#""done":true"#))
                #expect(try await client.exchange(Ask.generate(stream: false)).text.contains(#""response":"Hi""#))
                #expect(try await client.exchange(Ask.get("/api/version")).text.contains("version"))
                #expect(try await client.exchange(Ask.post("/api/chat", "{nonsense")).status == 400)
                #expect(try await client.exchange(Ask.post("/api/chat", #"{"model": "nobody", "messages": [{}]}"#)).status == 404)
                #expect(try await client.exchange(Ask.openAI(stream: false)).text.contains("choices"))
            }
        }
    }

    @Test(arguments: [10, 1000]) func `a request in pieces is answered, whether they come soon or late`(milliseconds: Int) async throws {
        try await with { bridge in
            let request = Ask.chat(stream: false)
            let head = try #require(request.firstRange(of: "\r\n\r\n")).upperBound
            for cut in [request.index(request.startIndex, offsetBy: 9), head, request.index(head, offsetBy: 20)] {
                let client = try bridge.client()
                try await client.send(String(request[..<cut]))
                try await Task.sleep(for: .milliseconds(milliseconds))
                #expect(try await client.exchange(String(request[cut...])).text.contains(#""done":true"#))
            }
        }
    }

    /// Sizes around what libcurl's reader collects before it hands on: there the answer's end comes from within libcurl.
    @Test(arguments: [10] + stride(from: 65_200, to: 66_400, by: 150))
    func `a request that comes while another is answered waits for its turn`(size: Int) async throws {
        let go = Gates(2)
        let stop = #"data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}"# + "\n\ndata: [DONE]\n\n"
        let text = #"data: {"choices": [{"index": 0, "delta": {"content": "\#(String(repeating: "x", count: size))"}}]}"# + "\n\n" + stop
        let upstream = try StubUpstream { connection in
            while true {
                try connection.readRequest()
                try go.next().wait()
                try connection.send(StubAnswer.whole(headers: ["Content-Type: text/event-stream"], body: text))
            }
        }
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let client = try bridge.client()
            try await client.send(Ask.chat())
            _ = try await upstream.requests.event(0)
            try await client.send(Ask.chat())
            for answer in 0..<2 {
                go.open(answer)
                #expect(try await client.response().text.contains(#""done":true"#))
            }
        }
    }

    @Test func `a connection on which nothing is asked is closed in time`() async throws {
        try await with(limits: {
            $0.headerTime = .milliseconds(300); $0.keepAlive = .milliseconds(300)
        }) { bridge in
            let (silent, quiet) = (try bridge.client(), try bridge.client())
            #expect(try await quiet.exchange(Ask.chat(stream: false)).status == 200)
            #expect(await silent.readToEnd().isEmpty)
            #expect(await quiet.readToEnd().isEmpty)
            #expect(await ProcessCounts.eventually { bridge.running.parts.connections.count == 0 })
        }
    }

    @Test func `a foreign host is refused`() async throws {
        try await with { bridge in
            let (own, foreign) = (Ask.chat(stream: false), Ask.chat(stream: false).replacing("localhost", with: "evil.example"))
            for (request, status) in [(foreign, 403), (own, 200), (foreign, 403)] {
                let answer = try await bridge.client().exchange(request)
                #expect(answer.status == status)
            }
        }
    }

    // MARK: What the upstream refuses

    @Test(arguments: [("429 Too Many Requests", 429), ("400 Bad Request", 400), ("401 Unauthorized", 502), ("302 Found", 502)])
    func `a refusal is told by the whole path, and the upstream is asked once`(status: String, told: Int) async throws {
        let upstream = try StubUpstream.answering { _ in
            StubAnswer.whole(status, headers: ["Content-Type: application/json"], body: #"{"error": {"message": "no such thing"}}"#)
        }
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let client = try bridge.client()
            let before = bridge.running.parts.capacity.counts.running
            let answer = try await client.exchange(Ask.chat())
            // A refusal for the moment is tried again, by the usual rules.
            #expect(answer.status == told && answer.text.hasPrefix(#"{"error":"#))
            #expect(upstream.requests.count == (told == 429 ? upstream.requests.count : 1))
            #expect(await ProcessCounts.eventually { bridge.running.parts.capacity.counts.running == before })
            #expect(try await client.exchange(Ask.get("/api/version")).status == 200)
        }
    }

    @Test func `what a refusal teaches is learnt with one request more, and remembered`() async throws {
        let upstream = try StubUpstream.answering { request in
            guard !request.text.contains("temperature") else {
                return StubAnswer.whole(
                    "400 Bad Request", headers: ["Content-Type: application/json"],
                    body:
                        #"{"error": {"message": "Unsupported parameter: 'temperature'", "param": "temperature", "code": "unsupported_parameter"}}"#
                )
            }
            return StubAnswer.whole(headers: ["Content-Type: application/json"], body: Say.whole)
        }
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let request = Ask.post(
                "/api/chat",
                #"{"model": "seer", "stream": false, "options": {"temperature": 0.5}, "messages": [{"role": "user", "content": "Hello"}]}"#)
            for asked in [2, 3] {
                let answer = try await bridge.client().exchange(request)
                #expect(answer.text.contains(#""done":true"#))
                #expect(upstream.requests.count == asked)
            }
        }
    }

    @Test func `a connection that ends without an answer is a 502, and the upstream is asked once`() async throws {
        let upstream = try StubUpstream([.request])
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let answer = try await bridge.client().exchange(Ask.chat())
            #expect(answer.status == 502)
            #expect(upstream.requests.count == 1)
        }
    }

    // MARK: The upstream's end

    @Test func `an upstream whose end comes after its last word keeps its connection`() async throws {
        let upstream = try StubUpstream { connection in
            while true {
                try connection.readRequest()
                try connection.send(Array(StubAnswer.eventStreamHead.utf8) + Say.event("a") + Say.stop)
                Thread.sleep(forTimeInterval: 0.05)
                try connection.send(StubAnswer.lastChunk)
            }
        }
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            for round in 1...3 {
                let answer = try await bridge.client().exchange(Ask.chat())
                #expect(answer.text.contains(#""done":true"#))
                #expect(await ProcessCounts.eventually { bridge.running.parts.fetcher.openTransfers == 0 })
                #expect(upstream.requests.count == round)
            }
            #expect(upstream.connections.count == 1)
        }
    }

    @Test func `an upstream that never ends after its last word is left alone`() async throws {
        let upstream = try StubUpstream([
            .request, .send(StubAnswer.eventStreamHead), .bytes(Say.event("a") + Say.stop), .untilPeerCloses,
        ])
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let answer = try await bridge.client().exchange(Ask.chat())
            #expect(answer.text.contains(#""done":true"#))
            _ = try await upstream.closings.event(0)
            #expect(await ProcessCounts.eventually { bridge.running.parts.fetcher.openTransfers == 0 })
        }
    }

    @Test(arguments: [true, false]) func `an error instead of an answer has its own status`(stream: Bool) async throws {
        let upstream = try StubUpstream.answering { _ in
            StubAnswer.whole(
                headers: ["Content-Type: text/event-stream"], body: "data: {\"error\": {\"message\": \"out of order\", \"code\": 503}}\n\n")
        }
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let client = try bridge.client()
            for path in Path.allCases {
                let answer = try await client.exchange(path.of(Ask.chat(stream: stream)))
                #expect(answer.status == 503 && answer.text.contains("out of order"), "\(path)")
            }
        }
    }
}

/// Gates for one answer after the other.
private final class Gates: Sendable {
    private let gates: [TestSupport.Gate]
    private let used = LockedValue(0)

    init(_ count: Int) { gates = (0..<count).map { _ in TestSupport.Gate() } }

    func next() -> TestSupport.Gate {
        gates[
            used.withLock { used in
                defer { used += 1 }
                return used
            }]
    }

    func open(_ index: Int) { gates[index].open() }
}

/// Takes every descriptor number that becomes free, and notes what is written there.
///
/// `@unchecked Sendable`: its thread alone has the pairs until it has ended.
private final class NumberTakers: @unchecked Sendable {
    private let isStopping = LockedValue(false)
    private let ended = DispatchSemaphore(value: 0)
    private var pairs: [(CInt, CInt)] = []
    private var heard: [UInt8] = []

    init() {
        Thread.detachNewThread { [self] in
            while !isStopping.withLock({ $0 }) { take() }
            while !pairs.isEmpty { drop() }
            ended.signal()
        }
    }

    private func take() {
        var pair: [CInt] = [0, 0]
        guard unsafe socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &pair) == 0 else { return }
        pairs.append((pair[0], pair[1]))
        if pairs.count > 64 { drop() }
    }

    private func drop() {
        let pair = pairs.removeFirst()
        for end in [pair.0, pair.1] {
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = unsafe recv(end, &bytes, bytes.count, CInt(MSG_DONTWAIT))
            if count > 0 { heard += bytes.prefix(count) }
        }
        for end in [pair.0, pair.1] { close(end) }
    }

    func stop() -> [UInt8] {
        isStopping.withLock { $0 = true }
        ended.wait()
        return heard
    }
}
