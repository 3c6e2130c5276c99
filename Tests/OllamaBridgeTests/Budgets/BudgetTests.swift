import Foundation
import Logging
import TestSupport
import Testing

@testable import OllamaBridge

@Suite struct BudgetTests {
    @Test func `requests count in their minute and their day`() {
        var usage = Usage()
        let budget = Budget(requestsPerMinute: 2, requestsPerDay: 3)
        #expect(usage.request(within: budget, at: 6000) == nil)
        #expect(usage.request(within: budget, at: 6010) == nil)
        #expect(usage.request(within: budget, at: 6010) == 50)
        #expect(usage.request(within: budget, at: 6060) == nil)
        #expect(usage.request(within: budget, at: 6061) == 86_400 - 6061)
        #expect(usage.request(within: budget, at: 86_400) == nil)
    }

    @Test func `the answer that crosses a budget of tokens spends it`() {
        var usage = Usage()
        let budget = Budget(tokensPerMinute: 10)
        #expect(usage.request(within: budget, at: 60) == nil)
        usage.spend(tokens: 12, at: 61)
        #expect(usage.request(within: budget, at: 62) == 58)
        #expect(usage.request(within: budget, at: 120) == nil)
        for _ in 0..<2 { usage.spend(tokens: .max, at: 121) }
        #expect(usage.request(within: budget, at: 122) == 58)
    }

    @Test(arguments: [
        "", "[]", #"{"keys": []} x"#, #"{"keys": [{"key": "x"}]}"#, #"{"keys": [{"name": "a"}]}"#,
        #"{"keys": [{"name": "a", "key": "b c"}]}"#,
        #"{"keys": [{"name": "a", "key": "b\n"}]}"#, #"{"keys": [{"name": "a", "key": "b", "requests_per_hour": 1}]}"#,
        #"{"keys": [{"name": "a", "key": "b", "tokens_per_day": 0}]}"#,
        #"{"keys": [{"name": "a", "key": "b"}, {"name": "a", "key": "c"}]}"#,
        #"{"keys": [{"name": "a", "sha256": "zz"}]}"#, #"{"keys": [{"name": "a", "key": "b", "sha256": "zz"}]}"#,
    ])
    func `a wrong keys file stops the start`(content: String) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("keys-\(UUID().uuidString)").path
        try content.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(throws: StartupError.self) { try ClientKeysFile.read(path) }
    }

    @Test func `a spent budget is told with 429 and outlasts a restart`() async throws {
        let upstream = try StubUpstream.answering { _ in StubAnswer.whole(headers: ["Content-Type: application/json"], body: Say.whole) }
        defer { upstream.stop() }
        let keys = FileManager.default.temporaryDirectory.appendingPathComponent("keys-\(UUID().uuidString).json").path
        let digest = "81b637d8fcd2c6da6359e6963113a1170de795e4b725b84d1e0b4cfd9ec58ce9"  // of "bob"
        try #"{"keys": [{"name": "alice", "key": "secret", "requests_per_day": 2}, {"name": "bob", "sha256": "\#(digest)"}]}"#
            .write(toFile: keys, atomically: true, encoding: .utf8)
        defer { for path in [keys, keys + ".usage"] { try? FileManager.default.removeItem(atPath: path) } }
        func ask(_ key: String, _ bridge: TestBridge) async throws -> RawResponse {
            let request = Ask.chat(stream: false).replacing("Content-Type:", with: "Authorization: Bearer \(key)\r\nContent-Type:")
            return try await bridge.client().exchange(request)
        }
        for restart in 0..<2 {
            let bridge = try await TestBridge.start(upstream: upstream.url, arguments: ["--api-keys-file", keys])
            if restart == 0 { for _ in 0..<2 { #expect(try await ask("secret", bridge).status == 200) } }
            let refused = try await ask("secret", bridge)
            #expect(refused.status == 429)
            #expect(refused.field("retry-after").flatMap { Int($0) } ?? 0 > 0)
            #expect(refused.text.contains("the budget of this client key is spent"))
            #expect(try await ask("bob", bridge).status == 200)
            #expect(try await ask("wrong", bridge).status == 401)
            await bridge.stop()
        }
        #expect(upstream.requests.count == 4)
    }

    @Test func `a changed keys file is taken up by itself, and a broken one leaves the old in force`() async throws {
        let upstream = try StubUpstream.answering { _ in StubAnswer.whole(headers: ["Content-Type: application/json"], body: Say.whole) }
        defer { upstream.stop() }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("keys-\(UUID().uuidString).json").path
        defer { for path in [file, file + ".usage"] { try? FileManager.default.removeItem(atPath: path) } }
        func write(_ entries: String) throws { try #"{"keys": [\#(entries)]}"#.write(toFile: file, atomically: true, encoding: .utf8) }
        try write(#"{"name": "alice", "key": "secret-a"}, {"name": "bob", "key": "secret-b"}"#)
        try await TestBridge.with(upstream: upstream.url, arguments: ["--api-keys-file", file]) { bridge in
            func statuses(_ keys: String...) async throws -> [Int] {
                var statuses: [Int] = []
                for key in keys {
                    let request = Ask.chat(stream: false).replacing("Content-Type:", with: "Authorization: Bearer \(key)\r\nContent-Type:")
                    statuses.append(try await bridge.client().exchange(request).status)
                }
                return statuses
            }
            #expect(try await statuses("secret-a", "secret-b", "secret-c") == [200, 200, 401])
            try "{".write(toFile: file, atomically: true, encoding: .utf8)
            await bridge.running.reload()
            #expect(try await statuses("secret-a") == [200])
            // Alice is out, Carol is in, Bob has a budget from now on; nobody says a word.
            try write(#"{"name": "bob", "key": "secret-b", "requests_per_day": 2}, {"name": "carol", "key": "secret-c"}"#)
            let end = ContinuousClock.now + .seconds(10)
            while try await statuses("secret-c") != [200], ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(50)) }
            #expect(try await statuses("secret-c", "secret-a") == [200, 401])
            #expect(try await statuses("secret-b", "secret-b", "secret-b") == [200, 200, 429])
            // A file that holds no key lets nobody in; it is no slip, and nobody is let in without one.
            try write("")
            await bridge.running.reload()
            #expect(try await statuses("secret-c", "secret-b", "") == [401, 401, 401])
        }
    }
}
