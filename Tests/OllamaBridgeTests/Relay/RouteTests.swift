import Foundation
import TestSupport
import Testing
import Translate

@testable import OllamaBridge

/// Several upstreams behind one model.
@Suite(.timeLimit(.minutes(2))) struct RouteTests {
    /// An upstream that answers with its own name, or with a failure.
    private func upstream(_ name: String, status: String? = nil, delay: Double = 0) throws -> StubUpstream {
        try StubUpstream.answering { _ in
            Thread.sleep(forTimeInterval: delay)
            let type = ["Content-Type: application/json"]
            guard let status else { return StubAnswer.whole(headers: type, body: Say.whole.replacing("Hi", with: name)) }
            return StubAnswer.whole(status, headers: type, body: #"{"error": {"message": "\#(name) is out of order"}}"#)
        }
    }

    private func with(
        _ upstreams: [StubUpstream], strategy: String = "ordered", vision: [Bool] = [], weights: [Int] = [],
        _ test: (TestBridge) async throws -> Void
    ) async throws {
        defer { for upstream in upstreams { upstream.stop() } }
        let providers = upstreams.enumerated().map { #""p\#($0)": {"base_url": "\#($1.url)/v1"}"# }
        let routes = upstreams.indices.map { index in
            let vision = index < vision.count ? vision[index] : true
            let weight = index < weights.count ? weights[index] : 1
            return #"{"provider": "p\#(index)", "model": "m\#(index)", "vision": \#(vision), "weight": \#(weight)}"#
        }
        let seer = #""seer": {"vision": true, "strategy": "\#(strategy)", "routes": [\#(routes.joined(separator: ", "))]}"#
        try await TestBridge.with { bridge async throws in
            try #"{"providers": {\#(providers.joined(separator: ", "))}, "models": {\#(seer)}}"#
                .write(to: bridge.modelsFile, atomically: true, encoding: .utf8)
            await bridge.running.reload()
            try await test(bridge)
        }
    }

    /// How often it was asked to answer; lists of models do not count.
    private func asked(_ upstream: StubUpstream) -> Int { upstream.requests.all.count { $0.target.hasSuffix("/chat/completions") } }

    private func said(_ bridge: TestBridge, _ request: String = Ask.chat(stream: false)) async throws -> String {
        let answer = try await bridge.client().exchange(request)
        let object = try JSONParser.parse(answer.body).object
        return object?["message"]?.object?["content"]?.string ?? object?["error"]?.string ?? answer.text
    }

    private func breakers(_ bridge: TestBridge) async throws -> [String: String] {
        let status = try await bridge.client().exchange(Ask.get("/bridge/status"))
        let providers = try #require(try JSONParser.parse(status.body).object?["providers"]?.array)
        let states = providers.compactMap { provider in
            provider.object.flatMap { ($0["name"]?.string ?? "", $0["breaker"]?.string ?? "") }
        }
        return Dictionary(uniqueKeysWithValues: states)
    }

    @Test(arguments: ["500 Internal Server Error", "503 Service Unavailable", "429 Too Many Requests", "401 Unauthorized", "404 Not Found"])
    func `the next one answers where the first is out of order`(_ status: String) async throws {
        let (first, second) = (try upstream("first", status: status), try upstream("second"))
        try await with([first, second]) { bridge async throws in
            #expect(try await said(bridge) == "second")
            for request in [Ask.chat(), Ask.openAI(), Ask.generate()] {
                #expect(try await bridge.client().exchange(request).text.contains("second"))
            }
        }
    }

    @Test func `a request at fault is at fault everywhere and is not passed on`() async throws {
        let (first, second) = (try upstream("first", status: "400 Bad Request"), try upstream("second"))
        try await with([first, second]) { bridge async throws in
            #expect(try await said(bridge).contains("first is out of order"))
            #expect(asked(second) == 0)
        }
    }

    @Test func `one that keeps failing is left alone, and status says so`() async throws {
        let (first, second) = (try upstream("first", status: "500 Broken"), try upstream("second"))
        try await with([first, second]) { bridge async throws in
            for _ in 0..<10 { #expect(try await said(bridge) == "second") }
            let states = try await breakers(bridge)
            #expect(states["p0"] == "open" && states["p1"] == "closed")
            let before = asked(first)
            for _ in 0..<5 { #expect(try await said(bridge) == "second") }
            #expect(asked(first) == before)
        }
    }

    @Test func `when all are out of order the last one's failure is told, and then when to come back`() async throws {
        let (first, second) = (try upstream("first", status: "500 Broken"), try upstream("second", status: "502 Broken"))
        try await with([first, second]) { bridge async throws in
            #expect(try await said(bridge).contains("second is out of order"))
            for _ in 0..<10 { _ = try await said(bridge) }
            let answer = try await bridge.client().exchange(Ask.chat())
            #expect(answer.status == 503 && answer.text.contains("no model server is available"))
            #expect((1...60).contains(answer.field("retry-after").flatMap { Int($0) } ?? 0))
        }
    }

    @Test func `nobody listening counts as out of order`() async throws {
        let (dead, second) = (try upstream("dead"), try upstream("second"))
        try await with([dead, second]) { bridge async throws in
            dead.stop()
            #expect(await ProcessCounts.eventually { (try? RawClient(port: Int(dead.port))) == nil })
            #expect(try await said(bridge) == "second")
        }
    }

    @Test func `only members that see get pictures, and without one the error says so`() async throws {
        let picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
        let ask = Ask.chat(stream: false, images: [picture])
        let (blind, seeing) = (try upstream("blind"), try upstream("seeing"))
        try await with([blind, seeing], vision: [false, true]) { bridge async throws in
            #expect(try await said(bridge) == "blind")
            #expect(try await said(bridge, ask) == "seeing")
        }
        let alone = try upstream("blind")
        try await with([alone], vision: [false]) { bridge async throws in
            #expect(try await said(bridge, ask) == "seer does not support vision")
            #expect(asked(alone) == 0)
        }
    }

    @Test func `weights decide how often each is asked`() async throws {
        let (often, seldom) = (try upstream("often"), try upstream("seldom"))
        try await with([often, seldom], strategy: "weighted", weights: [9, 1]) { bridge async throws in
            for _ in 0..<200 { _ = try await said(bridge) }
            #expect(asked(often) + asked(seldom) == 200)
            // Nine to one; chance takes it further than this once in a million runs.
            #expect((3...45).contains(asked(seldom)))
        }
    }

    @Test func `the fastest is asked once all have been tried`() async throws {
        let (slow, fast) = (try upstream("slow", delay: 0.3), try upstream("fast"))
        try await with([slow, fast], strategy: "least_latency") { bridge async throws in
            for _ in 0..<2 { _ = try await said(bridge) }
            for _ in 0..<5 { #expect(try await said(bridge) == "fast") }
            #expect(asked(slow) == 1)
        }
    }

    @Test func `after the first line nobody is asked again`() async throws {
        let first = try StubUpstream([.request, .send(StubAnswer.eventStreamHead), .bytes(Say.event("Half")), .reset])
        let second = try upstream("second")
        try await with([first, second]) { bridge async throws in
            let answer = try await bridge.client().exchange(Ask.chat())
            #expect(answer.text.contains("Half") && answer.text.contains("error") && !answer.text.contains(#""done":true"#))
            #expect(asked(first) == 1 && asked(second) == 0)
        }
    }

    @Test func `a single upstream that stumbles is asked again, and one that died with the request is not`() async throws {
        let flaky = try StubUpstream { connection in
            while true {
                let request = try connection.readRequest()
                guard request.text.contains("Hello") else { return }
                if connection.number == 0 {
                    try connection.send(StubAnswer.whole("503 Service Unavailable", headers: ["Connection: close"]))
                    return
                }
                try connection.send(StubAnswer.whole(headers: ["Content-Type: application/json"], body: Say.whole))
            }
        }
        defer { flaky.stop() }
        try await TestBridge.with(upstream: flaky.url) { bridge async throws in
            let answer = try await said(bridge)
            #expect(answer == "Hi")
        }
        let deadly = try StubUpstream([.request])
        defer { deadly.stop() }
        try await TestBridge.with(upstream: deadly.url) { bridge async throws in
            #expect(try await said(bridge).contains("closed the connection"))
            #expect(asked(deadly) == 1)
        }
    }
}
