import Testing

@testable import Translate

@Suite struct UsualChunkTests {
    /// What the usual path makes of a chunk: its kind and text; nil where it leaves it to the general path.
    static func find(_ chunk: String) -> String? {
        let bytes = Array(chunk.utf8)
        guard let usual = UsualChunk(bytes.span, skipsLogprobs: true) else { return nil }
        let counts = usual.usage.map { " \($0.promptTokens ?? -1) \($0.answerTokens ?? -1)" } ?? ""
        return "\(usual.kind) \(String(decoding: bytes[usual.text.range], as: UTF8.self))\(counts)"
    }

    @Test(arguments: [
        (#"{"choices":[{"index":0,"delta":{"content":"a"}}]}"#, "content a"),
        (#" { "choices" : [ { "delta" : { "content" : "a" } , "index" : 0 } ] } "#, "content a"),
        (
            #"{"choices":[{"index":0,"delta":{"content":"a","refusal":null,"tool_calls":[],"role":"assistant"},"finish_reason":null,"logprobs":{"content":[]}}],"usage":null}"#,
            "content a"
        ),
        (#"{"choices":[{"index":0,"delta":{"content":"\u00e9\ud83d\ude00\"é"}}]}"#, #"content \u00e9\ud83d\ude00\"é"#),
        (#"{"choices":[{"index":0,"delta":{"content":"","reasoning":"r","reasoning_details":[{"text":"r"}]}}]}"#, "thinking r"),
        (#"{"choices":[{"index":0,"delta":{"content":null,"reasoning":"r","reasoning_content":"r"}}]}"#, "thinking r"),
        (
            #"{"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":5,"total_tokens":8,"completion_tokens":3,"prompt_tokens_details":null}}"#,
            "content a 5 3"
        ),
    ])
    func `the usual is found`(chunk: String, expected: String) {
        #expect(Self.find(chunk) == expected)
    }

    @Test(arguments: [
        #"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{}}"#,
        #"{"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":1,"prompt_tokens":2}}"#,
        #"{"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":1.0}}"#,
        #"{"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":-1}}"#,
        #"{"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":1234567890123456}}"#,
        #"{"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":"1"}}"#,
        #"{"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":1,"prompt_tokens_details":{"cached_tokens":1}}}"#,
        #"{"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":1},"usage":null}"#,
        #"{"choices":[{"index":0,"delta":{"content":"a"}}],"error":{"message":"x"}}"#,
        #"{"choices":[{"index":1,"delta":{"content":"a"}}]}"#,
        #"{"choices":[{"index":0.0,"delta":{"content":"a"}}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":"a"}},{"index":1}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":"a","content":"b"}}]}"#,
        #"{"choices":[{"index":0,"delta":{"c\u006fntent":"a","content":"b"}}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":"a","tool_calls":[{}]}}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":"a","reasoning":"b"}}]}"#,
        #"{"choices":[{"index":0,"delta":{"reasoning_content":"a","reasoning":"b"}}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":"a","reasoning_details":[{"text":"b"}]}}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":"\ud83d"}}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":["a"]}}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":""}}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":"a"}}]"#,
        #"{"choices":[{"index":0,"delta":{"content":"a"}}],"x":01}"#,
        #"{"choices":[{"index":0,"delta":{"content":"a"}}],"x":"\q"}"#,
        #"{"choices":[{"index":0,"delta":{"content":"a\q"}}]}"#,
        "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\u{1}\"}}]}",
        #"[{"choices":[]}]"#, "{}", "", "[DONE]",
    ])
    func `the unusual is left to the general path`(chunk: String) {
        #expect(Self.find(chunk) == nil)
    }

    @Test func `a chunk with the frame of the one before is known by it`() throws {
        let chunk = { (text: String) in
            Array(#"{"id":"c","choices":[{"index":0,"delta":{"content":"\#(text)"},"finish_reason":null}]}"#.utf8)
        }
        var frame = ChunkFrame()
        let first = chunk("a")
        let none = frame.chunk(first.span)
        #expect(none == nil)
        let usual = UsualChunk(first.span, skipsLogprobs: true)
        frame.note(try #require(usual), first.span)
        for text in ["a", #"\u00e9 \"x\""#, "é", String(repeating: "long ", count: 500)] {
            let next = chunk(text)
            let found = frame.chunk(next.span)
            #expect(String(decoding: next[try #require(found).text.range], as: UTF8.self) == text)
        }
        // An end of the text within it, a half of a character, another finish reason, an empty text.
        for text in [#"a","content":"b"#, #"\ud83d"#, #"a"},"finish_reason":"stop"},{"x":{"y":"z"#, ""] {
            let next = chunk(text)
            let found = frame.chunk(next.span)
            #expect(found == nil)
        }
    }

    @Test func `a text that stands there twice has no frame`() throws {
        let chunk = Array(#"{"choices":[{"delta":{"reasoning":"r","reasoning_content":"r"}}]}"#.utf8)
        var frame = ChunkFrame()
        let usual = UsualChunk(chunk.span, skipsLogprobs: true)
        frame.note(try #require(usual), chunk.span)
        let found = frame.chunk(chunk.span)
        #expect(found == nil)
    }

    @Test func `bytes that are no UTF-8 are left to the general path`() {
        let bytes = Array(#"{"choices":[{"index":0,"delta":{"content":"a"#.utf8) + [0xC3] + Array(#""}}]}"#.utf8)
        #expect(UsualChunk(bytes.span, skipsLogprobs: true) == nil)
    }

    /// Chunks put together from usual and unusual parts at random, then broken at random: both paths give the same lines or the same failure.
    @Test(arguments: 0..<40)
    func `both paths agree on random chunks`(seed: UInt64) {
        var random = SplitMix(state: seed)
        for _ in 0..<500 {
            let stream = RandomStream.make(&random)
            let usual = Self.lines(stream, general: false, &random)
            let general = Self.lines(stream, general: true, &random)
            guard usual == general else {
                Issue.record("\(String(decoding: stream, as: UTF8.self))\nusual: \(usual)\ngeneral: \(general)")
                return
            }
        }
    }

    private static func lines(_ stream: [UInt8], general: Bool, _ random: inout SplitMix) -> [JSONValue] {
        var settings = AnswerSettings.sample()
        settings.thinkTags = stream.count % 3 == 0 ? .split : .none
        settings.thinking = stream.count % 5 == 0 ? .drop : .pass
        settings.keeps = stream.count % 2 == 0 ? [.callExtras, .details, .thinking] : []
        var translator = AnswerTranslator(settings)
        translator.reader.isGeneralOnly = general
        var batch = LineBatch()
        do {
            var rest = stream[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int(random.next() % 400) + 1)
                rest = rest.dropFirst(piece.count)
                try translator.push(Array(piece), at: .after(microseconds: 9), into: &batch)
            }
            try translator.finish(at: .after(microseconds: 9), into: &batch)
        } catch {
            batch.append(error)
        }
        let lines = (0..<batch.count).map { (try? JSONParser.parse(Array(batch.line($0)))) ?? .null }
        let kept = translator.reader.echo?.finish([AnswerToolCall(id: "i", name: "n", arguments: [:], extraContent: "x")])
        return lines + [.text("\(kept?.text ?? 0)"), .string(kept?.thinking ?? ""), .array(kept?.details ?? [])]
    }
}

/// A small generator of the same numbers for the same seed.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Streams that look like an upstream's, some of them broken.
enum RandomStream {
    private static let texts = [
        #""a""#, #""""#, "null", #"" <think>x""#, #""</think>""#, #""é\u00e9""#, #""\ud83d\ude00""#, #""\ud83d""#, #""x\ud83d""#,
        #""\ude00y""#, #""\n\"\\""#,
        #""\u003c""#, "7", "[]",
        #"["x"]"#, #"[{"type":"text","text":"p"}]"#, "\"\u{1F600}\"", #""\u""#, #""a"#,
    ]
    private static let deltaKeys = [
        "content", "content", "content", "reasoning", "reasoning_content", "role", "refusal", "extra", "c\\u006fntent", "reasoning_details",
    ]
    private static let values = ["null", "0", "-0.5e+3", "01", "true", "{}", "[]", #"{"a":[1,{"b":"}"}]}"#, #""x""#, "tru", #"[1,]"#]

    private static let reasons = [#""stop""#, #""length""#, #""error""#, #""""#, "null", "7", #""st\u006fp""#]

    private static let usages = [
        "null", #"{"prompt_tokens":3}"#, #"{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}"#,
        #"{"completion_tokens":4,"prompt_tokens":0,"prompt_tokens_details":null}"#, #"{"prompt_tokens":007}"#, #"{"prompt_tokens":8.0}"#,
        #"{"prompt_tokens":9,"prompt_tokens_details":{"cached_tokens":1}}"#, #"{"completion_tokens":1,"completion_tokens":6}"#, "{}",
        #"{"prompt_tokens":"1"}"#, #"{"prompt_tokens":99999999999999999999}"#, #"{ "prompt_tokens" : 1 }"#,
        #"{"prompt_tokens":6,"completion_tokens":null,"prompt_tokens_details":{"audio_tokens":0,"cached_tokens":5}}"#,
        #"{"prompt_tokens":6,"prompt_tokens_details":{"cached_tokens":5,"cached_tokens":null}}"#, #"{"input_tokens":6}"#,
        #"{"prompt_tokens":6,"prompt_cache_hit_tokens":2}"#, #"{"prompt_tokens":6,"cost":0.5,"prompt_tokens_details":null}"#,
    ]

    static func make(_ random: inout SplitMix) -> [UInt8] {
        var stream = ""
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let chunk = chunk(&random)
            stream += "data: " + chunk + "\n\n"
            // As real streams go on: the same around another text.
            while !odd(&random), Bool.random(using: &random) {
                stream += "data: " + chunk.replacing(#""a""#, with: pick(texts, &random)) + "\n\n"
            }
        }
        if Bool.random(using: &random) { stream += "data: [DONE]\n\n" }
        var bytes = Array(stream.utf8)
        if Int.random(in: 0..<8, using: &random) == 0 {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        return bytes
    }

    /// An answer that is one object, or what some gateways send in its place.
    static func document(_ random: inout SplitMix) -> [UInt8] {
        var text = chunk(&random)
        if !odd(&random) { text = text.replacing(#""delta""#, with: #""message""#) }
        if odd(&random) { text = text.replacing(#""x""#, with: pick([#""detail""#, #""type""#, #""errors""#], &random)) }
        if !odd(&random) { text = text.replacing(#""finish_reason":null"#, with: #""finish_reason":\#(pick(reasons, &random))"#) }
        var bytes = Array(text.utf8)
        if odd(&random) { bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random) }
        return bytes
    }

    private static func pick(_ list: [String], _ random: inout SplitMix) -> String { list.randomElement(using: &random) ?? "" }

    private static func odd(_ random: inout SplitMix) -> Bool { Int.random(in: 0..<12, using: &random) == 0 }

    private static func chunk(_ random: inout SplitMix) -> String {
        var members = [#""id":"c""#, #""choices":\#(choices(&random))"#]
        for _ in 0..<(odd(&random) ? 2 : 1) where !odd(&random) { members.append(#""usage":\(pick(usages, &random))"#) }
        if odd(&random) { members.append(#""error":\#(pick(values, &random))"#) }
        if odd(&random) { members.append(#""choices":[]"#) }
        if Bool.random(using: &random) { members.append(#""x":\#(odd(&random) ? pick(values, &random) : "1")"#) }
        members.shuffle(using: &random)
        return "{" + members.joined(separator: Bool.random(using: &random) ? "," : " , ") + "}"
    }

    private static func choices(_ random: inout SplitMix) -> String {
        var members = [#""delta":\#(delta(&random))"#]
        if Bool.random(using: &random) { members.append(#""index":\#(odd(&random) ? pick(values, &random) : "0")"#) }
        if Bool.random(using: &random) { members.append(#""finish_reason":\#(pick(odd(&random) ? reasons : ["null"], &random))"#) }
        if odd(&random) { members.append(#""\#(pick(["message", "error", "x"], &random))":\#(pick(values, &random))"#) }
        if odd(&random) { members.append(#""logprobs":\#(pick(values, &random))"#) }
        if odd(&random) { members.append(#""text":"t""#) }
        members.shuffle(using: &random)
        let choice = "{" + members.joined(separator: ",") + "}"
        return odd(&random) ? "[\(choice),\(choice)]" : "[\(choice)]"
    }

    private static func delta(_ random: inout SplitMix) -> String {
        if odd(&random) { return pick(values, &random) }
        let members = (0..<Int.random(in: 1...3, using: &random)).map { _ in
            let key = pick(deltaKeys, &random)
            return #""\#(key)":\#(key == "extra" ? pick(values, &random) : pick(texts, &random))"#
        }
        return "{" + members.joined(separator: ",") + "}"
    }
}
