import Foundation
import TestSupport
import Testing
import Translate

@testable import Images
@testable import OllamaBridge

/// Pictures for a model that sees none, described by one that does.
@Suite(.timeLimit(.minutes(1))) struct DescribeTests {
    private static func picture() throws -> String { Data(try Fixtures.bytes("images/photos/astronaut.jpg")).base64EncodedString() }

    /// A bridge whose model `blind` has its pictures described by `eye`, which takes small ones only.
    private func with(eye: String, _ test: (TestBridge, StubUpstream) async throws -> Void) async throws {
        let upstream = try StubUpstream { connection in
            while true {
                let isForEye = try connection.readRequest().text.contains(#""model":"eye""#)
                let refused = StubAnswer.whole("400 Bad Request", body: #"{"error": {"message": "cannot look at this"}}"#)
                try connection.send(isForEye && eye.isEmpty ? refused : StubAnswer.whole(body: isForEye ? eye : Say.whole))
            }
        }
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let models =
                #"{"providers": {"stub": {"base_url": "\#(upstream.url)/v1"}}, "models": {"eye": {"provider": "stub", "model": "eye", "vision": true, "images": {"max_edge": 100}}, "blind": {"provider": "stub", "model": "blind", "images": {"images_without_vision": "describe", "describe_with": "eye"}}}}"#
            try models.write(to: bridge.modelsFile, atomically: true, encoding: .utf8)
            await bridge.running.reload()
            try await test(bridge, upstream)
        }
    }

    private func ask(_ bridge: TestBridge, inNewestTurn: Bool) async throws -> RawResponse {
        let picture = try Self.picture()
        let more = inNewestTurn ? "" : #", {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}"#
        let messages = #"[{"role": "user", "content": "a", "images": ["\#(picture)"]}\#(more)]"#
        return try await bridge.client().exchange(Ask.post("/api/chat", #"{"model": "blind", "stream": false, "messages": \#(messages)}"#))
    }

    @Test func `the limits are those of the model that gets the picture`() async throws {
        try await with(eye: Say.whole) { bridge, upstream in
            #expect(try await ask(bridge, inNewestTurn: true).status == 200)
            // The list of models is asked for too.
            let chats = upstream.requests.all.map(\.text).filter { $0.contains("messages") }
            let asked = try #require(chats.first)
            let start = try #require(asked.firstRange(of: "data:image/jpeg;base64,")).upperBound
            let sent = asked[start...].prefix { $0 != "\"" }
            let bytes = try #require(Base64.decodeLenient(Array(sent.utf8)[...])).bytes
            let size = try JPEGStructure.size(of: bytes, limits: .standard)
            #expect(max(size.width, size.height) <= 100)
            #expect(chats.count == 2 && chats[1].contains("[Image, described by eye: Hi]"))
        }
    }

    @Test func `a picture of an earlier turn that nobody can describe wedges no chat`() async throws {
        try await with(eye: "") { bridge, upstream in
            let newest = try await ask(bridge, inNewestTurn: true)
            #expect(newest.status == 400 && newest.text.contains("cannot look at this"))
            let earlier = try await ask(bridge, inNewestTurn: false)
            #expect(earlier.status == 200, "\(earlier.text)")
            #expect(upstream.requests.all.contains { $0.text.contains("this model cannot see images") })
        }
    }
}
