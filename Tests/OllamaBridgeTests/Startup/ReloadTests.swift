import Foundation
import TestSupport
import Testing

@testable import OllamaBridge

/// Changing models.json under a running bridge.
@Suite struct ReloadTests {
    private func names(_ bridge: TestBridge) async throws -> String {
        let answer = try await bridge.client().exchange(Ask.get("/api/tags"))
        #expect(answer.status == 200)
        return answer.text
    }

    private func eventuallyLists(_ name: String, _ bridge: TestBridge, within patience: Duration = .seconds(5)) async throws -> Bool {
        let end = ContinuousClock.now + patience
        while ContinuousClock.now < end {
            if try await names(bridge).contains("\"\(name):latest\"") { return true }
            try await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    @Test func `a renamed file is in force within two seconds`() async throws {
        try await TestBridge.with { bridge in
            #expect(try await names(bridge).contains("seer"))
            let began = ContinuousClock.now
            try TestBridge.catalog(upstream: "http://127.0.0.1:9", models: ["newcomer"])
                .write(to: bridge.modelsFile, atomically: true, encoding: .utf8)
            #expect(try await eventuallyLists("newcomer", bridge))
            #expect(began.duration(to: .now) < .seconds(3))
            #expect(try await !names(bridge).contains("seer"))
        }
    }

    @Test(arguments: ["", "{", #"{"models": {"m": {"provider": "nowhere", "model": "x"}}}"#, "[1]"])
    func `a broken file leaves the old one in force`(content: String) async throws {
        try await TestBridge.with { bridge in
            try content.write(to: bridge.modelsFile, atomically: true, encoding: .utf8)
            await bridge.running.reload()
            #expect(try await names(bridge).contains("seer"))
            try TestBridge.catalog(upstream: "http://127.0.0.1:9", models: ["mended"])
                .write(to: bridge.modelsFile, atomically: true, encoding: .utf8)
            await bridge.running.reload()
            #expect(try await names(bridge).contains("mended"))
        }
    }

    @Test func `a file that is gone, huge or none at all leaves the old one in force`() async throws {
        try await TestBridge.with { bridge in
            let file = bridge.modelsFile
            try FileManager.default.removeItem(at: file)
            await bridge.running.reload()
            #expect(try await names(bridge).contains("seer"))
            try Data(count: 100 << 20).write(to: file)
            await bridge.running.reload()
            #expect(try await names(bridge).contains("seer"))
            try FileManager.default.removeItem(at: file)
            try FileManager.default.createDirectory(at: file, withIntermediateDirectories: false)
            await bridge.running.reload()
            #expect(try await names(bridge).contains("seer"))
            try FileManager.default.removeItem(at: file)
            try FileManager.default.createSymbolicLink(at: file, withDestinationURL: file)
            await bridge.running.reload()
            #expect(try await names(bridge).contains("seer"))
        }
    }

    @Test func `many changes under load fail no request and mix no lists`() async throws {
        try await TestBridge.with { bridge in
            let first = TestBridge.catalog(upstream: "http://127.0.0.1:9", models: ["one", "two"])
            let second = TestBridge.catalog(upstream: "http://127.0.0.1:9", models: ["three", "four"])
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    for round in 0..<200 {
                        try? (round.isMultiple(of: 2) ? first : second).write(to: bridge.modelsFile, atomically: true, encoding: .utf8)
                        await bridge.running.reload()
                    }
                }
                group.addTask {
                    for _ in 0..<200 {
                        let text = (try? await names(bridge)) ?? "failed"
                        let lists = [["seer", "blind"], ["one", "two"], ["three", "four"]].map { list in
                            list.filter { text.contains("\"\($0):latest\"") }
                        }
                        #expect(lists.count { !$0.isEmpty } == 1 && lists.contains { $0.count == 2 }, "\(text)")
                    }
                }
            }
        }
    }

    @Test func `a running answer is not affected`() async throws {
        let gate = TestSupport.Gate()
        let upstream = try StubUpstream([
            .request, .send(StubAnswer.eventStreamHead), .bytes(Say.event("first")), .wait(gate), .bytes(Say.stream(["second"])),
            .untilPeerCloses,
        ])
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let client = try bridge.client()
            try await client.send(Ask.chat())
            _ = try await client.read(upTo: "first")
            try TestBridge.catalog(upstream: "http://127.0.0.1:9", models: ["other"])
                .write(to: bridge.modelsFile, atomically: true, encoding: .utf8)
            await bridge.running.reload()
            gate.open()
            #expect(try await client.read(upTo: #""done":true"#).contains("second"))
        }
    }
}
