import ArgumentParser
import Foundation
import TestSupport
import Testing

@testable import Fetch
@testable import OllamaBridge

/// A whole bridge in this process on a port of its own, with one upstream that a test plays.
struct TestBridge {
    let running: RunningBridge
    let folder: URL

    var port: Int { running.port }
    var modelsFile: URL { folder.appendingPathComponent("models.json") }

    /// - Parameters:
    ///   - upstream: Where the models `seer` (sees images) and `blind` live.
    ///   - arguments: Further flags of `serve`.
    ///   - limits: Changes to the limits, mostly to make tests short.
    static func start(
        upstream: String = "http://127.0.0.1:9", arguments: [String] = [], environment: [String: String] = [:],
        limits: (inout ListenerLimits) -> Void = { _ in }, upstreamLimits: FetchLimits? = nil
    ) async throws -> TestBridge {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bridge-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let models = folder.appendingPathComponent("models.json")
        try catalog(upstream: upstream).write(to: models, atomically: true, encoding: .utf8)
        let flags = try ServeFlags.parse(
            ["--host", "127.0.0.1", "--port", "0", "--models", models.path, "--log-level", "critical"] + arguments)
        var settings = try Settings(flags: flags, environment: environment)
        limits(&settings.limits)
        settings.upstream = upstreamLimits ?? settings.upstream
        let running = try await Bridge(settings: settings).start()
        // On a busy machine a fetcher's thread may begin long after the bridge has; until then its descriptors are not there to be counted.
        for fetcher in [running.parts.fetcher, running.parts.imageFetcher.fetcher] {
            // A URL with a space is refused by that thread.
            _ = try? await fetcher.send(FetchRequest(url: "http://a b/"))
        }
        return TestBridge(running: running, folder: folder)
    }

    static func catalog(upstream: String, models: [String] = ["seer", "blind"]) -> String {
        let entries = models.map {
            #""\#($0)": {"provider": "stub", "model": "\#($0)", "vision": \#($0 != "blind"), "context_length": 4096}"#
        }
        return #"{"providers": {"stub": {"base_url": "\#(upstream)/v1"}}, "models": {\#(entries.joined(separator: ", "))}}"#
    }

    func client() throws -> RawClient { try RawClient(port: port) }

    func stop(drain: Duration = .zero) async {
        await running.stop(drain: drain)
        try? FileManager.default.removeItem(at: folder)
    }

    /// Runs a test with a bridge and stops the bridge afterwards, whatever happens.
    static func with(
        upstream: String = "http://127.0.0.1:9", arguments: [String] = [], environment: [String: String] = [:],
        limits: (inout ListenerLimits) -> Void = { _ in }, upstreamLimits: FetchLimits? = nil,
        _ test: (TestBridge) async throws -> Void
    ) async throws {
        let bridge = try await start(
            upstream: upstream, arguments: arguments, environment: environment, limits: limits, upstreamLimits: upstreamLimits)
        do {
            try await test(bridge)
        } catch {
            await bridge.stop()
            throw error
        }
        await bridge.stop()
    }

    /// Whether the next honest request works.
    func answersHonestly() async throws -> Bool {
        let reply = try await client().exchange(Ask.get("/api/version"))
        return reply.status == 200
    }
}

/// Requests as text.
enum Ask {
    static func get(_ path: String, headers: String = "") -> String {
        "GET \(path) HTTP/1.1\r\nHost: localhost\r\n\(headers)\r\n"
    }

    static func post(_ path: String, _ body: String, headers: String = "") -> String {
        "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)"
    }

    static func chat(stream: Bool = true, images: [String] = []) -> String {
        let images = images.isEmpty ? "" : #", "images": [\#(images.map { "\"\($0)\"" }.joined(separator: ", "))]"#
        return post(
            "/api/chat", #"{"model": "seer", "stream": \#(stream), "messages": [{"role": "user", "content": "Hello"\#(images)}]}"#)
    }

    static func generate(stream: Bool = true) -> String {
        post("/api/generate", #"{"model": "seer", "stream": \#(stream), "prompt": "Hello"}"#)
    }

    static func openAI(stream: Bool = true) -> String {
        post("/v1/chat/completions", #"{"model": "seer", "stream": \#(stream), "messages": [{"role": "user", "content": "Hello"}]}"#)
    }

    static let embed = post("/api/embed", #"{"model": "seer", "input": "Hello"}"#)
}

/// What upstreams say.
enum Say {
    static func event(_ text: String) -> [UInt8] {
        StubAnswer.chunk(#"data: {"choices": [{"index": 0, "delta": {"content": "\#(text)"}}]}"# + "\n\n")
    }

    /// The last chunk of an answer, before the upstream says that it is done.
    static let finish = StubAnswer.chunk(#"data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}"# + "\n\n")

    static let stop = finish + StubAnswer.chunk("data: [DONE]\n\n")

    /// A whole streamed answer, after its head.
    static func stream(_ words: [String]) -> [UInt8] { words.flatMap(event) + stop + StubAnswer.lastChunk }

    static let whole = #"{"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]}"#
}
