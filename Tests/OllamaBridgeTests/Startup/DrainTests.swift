import Foundation
import Synchronization
import TestSupport
import Testing

@testable import OllamaBridge

/// Stopping and taking over.
@Suite struct DrainTests {
    @Test(arguments: Path.allCases)
    func `a running answer is finished, nobody new is let in, and readiness says so`(path: Path) async throws {
        let gate = TestSupport.Gate()
        let upstream = try StubUpstream([
            .request, .send(StubAnswer.eventStreamHead), .bytes(Say.event("first")), .wait(gate),
            .bytes(Say.stream(["second"])), .untilPeerCloses,
        ])
        defer { upstream.stop() }
        let bridge = try await TestBridge.start(upstream: upstream.url)
        let (client, watcher) = (try bridge.client(), try bridge.client())
        #expect(try await watcher.exchange(Ask.get("/ready")).status == 200)
        try await client.send(path.of(Ask.chat()))
        _ = try await client.read(upTo: "first")
        let stopping = Task { await bridge.stop(drain: .seconds(20)) }
        #expect(await ProcessCounts.eventually { bridge.running.parts.capacity.isDraining })
        let readiness = try await watcher.exchange(Ask.get("/ready"))
        #expect(readiness.status == 503)
        #expect(readiness.field("connection") == "close")
        #expect(await ProcessCounts.eventually(within: .milliseconds(200)) { (try? bridge.client()) == nil })
        gate.open()
        let rest = String(decoding: await client.readToEnd(), as: UTF8.self)
        #expect(rest.contains("second") && rest.contains(#""done":true"#))
        await stopping.value
    }

    @Test(arguments: Path.allCases)
    func `what still runs after the drain time ends with one error line`(path: Path) async throws {
        let upstream = try StubUpstream([
            .request, .send(StubAnswer.eventStreamHead), .bytes(Say.event("first")), .untilPeerCloses,
        ])
        defer { upstream.stop() }
        let bridge = try await TestBridge.start(upstream: upstream.url)
        let (chat, openAI) = (try bridge.client(), try bridge.client())
        try await chat.send(path.of(Ask.chat()))
        try await openAI.send(Ask.openAI())
        _ = try await chat.read(upTo: "first")
        _ = try await openAI.read(upTo: "first")
        let began = ContinuousClock.now
        await bridge.stop(drain: .milliseconds(200))
        #expect(began.duration(to: .now) < .seconds(2))
        let lines = String(decoding: await chat.readToEnd(), as: UTF8.self)
        #expect(lines.contains(#"{"error":"server is shutting down""#))
        #expect(!lines.contains(#""done":true"#))
        #expect(lines.hasSuffix("0\r\n\r\n"))
        #expect(String(decoding: await openAI.readToEnd(), as: UTF8.self).contains("server is shutting down"))
        _ = try await upstream.closings.event(1)
    }

    @Test func `what has not begun to answer by then is told 503`() async throws {
        let upstream = try StubUpstream([.request, .untilPeerCloses])
        defer { upstream.stop() }
        let bridge = try await TestBridge.start(upstream: upstream.url)
        let asked = [Ask.chat(), Ask.chat(stream: false), Path.whole.of(Ask.chat()), Ask.embed]
        let clients = try asked.map { ($0, try bridge.client()) }
        for (request, client) in clients { try await client.send(request) }
        _ = try await upstream.requests.event(asked.count - 1)
        await bridge.stop(drain: .milliseconds(100))
        for (_, client) in clients {
            let answer = try await client.response()
            #expect(answer.status == 503)
            #expect(answer.text.contains("server is shutting down"))
            #expect(answer.field("retry-after") == "1")
        }
    }

    @Test func `a second signal ends it now`() async throws {
        let upstream = try StubUpstream([.request, .untilPeerCloses])
        defer { upstream.stop() }
        let bridge = try await TestBridge.start(upstream: upstream.url)
        let client = try bridge.client()
        try await client.send(Ask.chat())
        _ = try await upstream.requests.event(0)
        let began = ContinuousClock.now
        let stopping = Task { await bridge.stop(drain: .seconds(60)) }
        #expect(await ProcessCounts.eventually { bridge.running.parts.capacity.isDraining })
        bridge.running.hurry()
        await stopping.value
        #expect(began.duration(to: .now) < .seconds(3))
    }

    @Test func `an idle bridge stops at once and gives everything back`() async throws {
        let first = try await TestBridge.start()
        #expect(try await first.answersHonestly())
        await first.stop()
        let before = ProcessCounts.descriptors
        for _ in 0..<5 {
            let bridge = try await TestBridge.start()
            let idle = try bridge.client()
            #expect(try await idle.exchange(Ask.get("/api/version")).status == 200)
            let began = ContinuousClock.now
            await bridge.stop(drain: .seconds(20))
            #expect(began.duration(to: .now) < .seconds(2))
            #expect(await idle.readToEnd().isEmpty)
        }
        #expect(await ProcessCounts.eventually { ProcessCounts.descriptors <= before + 2 })
    }

    @Test func `a new bridge takes the port over without a failed request`() async throws {
        let first = try await TestBridge.start(arguments: ["--reuse-port"])
        let load = Load(port: first.port)
        async let loops: Void = withTaskGroup(of: Void.self) { group in
            for keepsAlive in [false, false, true, true] { group.addTask { await load.run(keepsAlive: keepsAlive) } }
        }
        var bridge = first
        for _ in 0..<10 {
            let next = try await TestBridge.start(arguments: ["--reuse-port", "--port", String(first.port)])
            try await Task.sleep(for: .milliseconds(100))
            await bridge.stop(drain: .seconds(10))
            bridge = next
        }
        load.stop()
        await loops
        await bridge.stop()
        #expect(load.failures.isEmpty)
        #expect(load.answered > 100)
    }

    @Test func `a Unix socket serves too and is removed`() async throws {
        let path = "/tmp/bridge-\(UInt32.random(in: .min ... .max)).sock"
        let bridge = try await TestBridge.start(arguments: ["--unix-socket", path])
        #expect(try await RawClient(unixSocket: path).exchange(Ask.get("/api/version")).status == 200)
        await bridge.stop()
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}

/// Clients that ask again and again.
private final class Load: Sendable {
    private let port: Int
    private let isOver = Atomic(false)
    private let count = Atomic(0)
    private let problems = LockedValue<[String]>([])

    init(port: Int) { self.port = port }

    var failures: [String] { problems.withLock { $0 } }
    var answered: Int { count.load(ordering: .relaxed) }

    func stop() { isOver.store(true, ordering: .relaxed) }

    /// - Parameter keepsAlive: Whether requests share a connection for as long as the server lets them.
    func run(keepsAlive: Bool) async {
        var client: RawClient?
        var asked = ContinuousClock.now
        while !isOver.load(ordering: .relaxed) {
            let isReused = client != nil
            let sinceLast = asked.duration(to: .now)
            asked = .now
            do {
                let current = try client ?? RawClient(port: port)
                let answer = try await current.exchange(Ask.get("/api/version", headers: keepsAlive ? "" : "Connection: close\r\n"))
                if answer.status != 200 { problems.withLock { $0.append("status \(answer.status)") } }
                count.add(1, ordering: .relaxed)
                client = keepsAlive && answer.field("connection") == nil ? current : nil
            } catch {
                client = nil
                // A client that takes longer than a second to read an answer and to ask again may meet the closing of its connection, which
                // no server can help; on a very busy machine these clients do.
                if !isReused || sinceLast < .seconds(1) {
                    problems.withLock { $0.append("\(error), reused: \(isReused), \(sinceLast) after the request before") }
                }
                // Without a pause a port that nobody listens on would keep a thread from everyone else.
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
    }
}
