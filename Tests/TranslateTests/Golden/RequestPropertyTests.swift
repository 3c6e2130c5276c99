import Testing
import Translate

/// What must hold for any request, tried on the fixtures and on damaged copies of them.
@Suite struct RequestPropertyTests {
    static let examples = RequestCase.all.filter { $0.settings["refusals"] == nil }

    @Test(arguments: examples)
    func `the same request gives the same bytes`(_ example: RequestCase) throws {
        guard case .body(let first) = try Walk(example).run(), case .body(let second) = try Walk(example).run() else { return }
        #expect(first == second)
    }

    @Test(arguments: examples)
    func `a damaged request is refused or gives whole JSON, and never traps`(_ example: RequestCase) throws {
        let bytes = try example.bytes("ollama-request.json")
        var random = Shuffle(seed: UInt64(bytes.count) &+ 1)
        for _ in 0..<60 {
            guard case .body(let body)? = try? Walk(example).run(random.damaged(bytes)) else { continue }
            #expect(throws: Never.self) { try JSONParser.parse(body.joined) }
        }
    }

    /// An upstream's prompt cache lives on it: another turn at the end must not change a byte before it.
    @Test(arguments: ["openai", "google", "mistral", "vllm", "anthropic"])
    func `a longer chat begins with the bytes of the shorter`(dialect: String) throws {
        let turns: [JSONValue] = [
            ["role": "system", "content": "s"], ["role": "user", "content": "look", "images": ["/9j/AAAA"]],
            ["role": "assistant", "content": "", "tool_calls": [["function": ["name": "a", "arguments": ["x": 1]]]]],
            ["role": "tool", "content": "r"], ["role": "assistant", "content": "done"], ["role": "user", "content": "more"],
            ["role": "assistant", "content": "ok"], ["role": "user", "content": "end"],
        ]
        let file: JSONValue = [
            "providers": ["u": ["base_url": "http://u.test", "dialect": .text(dialect)]],
            "models": ["m": ["provider": "u", "vision": true]],
        ]
        let catalog = try ModelCatalog.parse(JSONWriter.bytes(file), file: "f", environment: [:])
        let model = try #require(catalog.resolve("m"))
        var shorter: [UInt8] = []
        for end in [2, 4, 6, 8] {
            let request = try InferenceRequest.chat([
                "model": "m", "messages": .array(Array(turns[..<end])), "tools": [["function": ["name": "a"]]],
            ])
            let images = request.messages.map { $0.images.map { _ in ImageOutcome.jpeg(base64: [Array("/9j/AAAA".utf8)[...]]) } }
            let body = try ChatCompletionBuilder.build(request, model: model, images: images).joined
            let messages = body.prefix(body.count - Self.tail(of: body))
            #expect(messages.starts(with: shorter), "with \(end) messages")
            shorter = Array(messages.dropLast())
        }
    }

    /// Bytes behind the messages.
    private static func tail(of body: [UInt8]) -> Int {
        let mark = Array(#"],"tools":"#.utf8)
        return body.count - (body.indices.last { body[$0...].starts(with: mark) } ?? 0) - 1
    }
}

/// Repeatable damage: bytes replaced, left out, doubled or cut off.
private struct Shuffle {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    private mutating func next(below limit: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state % UInt64(max(1, limit)))
    }

    mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        let interesting = Array(#"{}[]",:0-1.5e9nulltruefalse\u0000 "#.utf8)
        for _ in 0...next(below: 4) where !bytes.isEmpty {
            let place = next(below: bytes.count)
            switch next(below: 6) {
            case 0: bytes[place] = interesting[next(below: interesting.count)]
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(interesting[next(below: interesting.count)], at: place)
            case 3: bytes[place] = UInt8(next(below: 256))
            case 4: bytes.replaceSubrange(place..<min(bytes.count, place + 8), with: "null".utf8)
            default: bytes.removeLast(next(below: min(bytes.count, 8)))
            }
        }
        return bytes
    }
}
