import Testing

@testable import Translate

@Suite struct PlainReplyTests {
    /// What is read of an answer without a tree; nil where it is left to the general path.
    static func find(_ answer: String) -> String? {
        let bytes = Array(answer.utf8)
        guard let reply = PlainReply(bytes.span, skipsLogprobs: true) else { return nil }
        let texts = [reply.id, reply.reasoning, reply.content, reply.finishReason].map { text in
            text.map { String(decoding: bytes[$0.range], as: UTF8.self) } ?? "-"
        }
        let counts = [reply.usage.promptTokens, reply.usage.answerTokens, reply.usage.cachedTokens].map { $0.map { "\($0)" } ?? "-" }
        return (texts + counts).joined(separator: " ")
    }

    @Test(arguments: [
        (
            #"{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"a","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8,"prompt_tokens_details":{"cached_tokens":4,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}"#,
            "c - a stop 5 3 4"
        ),
        (#" {"choices" : [ {"delta" : { } , "finish_reason" : "length"} ] } "#, "- - - length - - -"),
        (#"{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":null}}"#, "- - - - 5 - -"),
        (#"{"id":"","choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}"#, "- - - - - - -"),
        (#"{"choices":[{"message":{"content":"a","reasoning":"r","reasoning_content":"","tool_calls":[]}}]}\#n"#, "- r a - - - -"),
    ])
    func `the plain is found`(answer: String, expected: String) {
        #expect(Self.find(answer) == expected)
    }

    @Test(arguments: [
        #"{"usage":{"prompt_tokens":1}}"#, #"{"choices":null}"#, #"{"choices":[{}],"choices":[{}]}"#, #"{"choices":[{},{}]}"#,
        #"{"choices":[{"index":1}]}"#, #"{"choices":[{}],"error":{"message":"x"}}"#, #"{"choices":[{}],"timings":{}}"#,
        #"{"choices":[{"delta":{},"message":{}}]}"#, #"{"choices":[{"message":"x"}]}"#, #"{"choices":[{"text":"x"}]}"#,
        #"{"choices":[{"error":{}}]}"#, #"{"choices":[{"type":"error"}]}"#, #"{"choices":[{"finish_reason":"error"}]}"#,
        #"{"choices":[{"message":{"content":["a"]}}]}"#, #"{"choices":[{"message":{"refusal":"a"}}]}"#,
        #"{"choices":[{"message":{"tool_calls":[{}]}}]}"#, #"{"choices":[{"message":{"function_call":{}}}]}"#,
        #"{"choices":[{"message":{"reasoning_details":[{}]}}]}"#, #"{"choices":[{"message":{"reasoning":"r","reasoning_content":"r"}}]}"#,
        #"{"choices":[{"message":{"content":"a","content":"b"}}]}"#, #"{"choices":[{"message":{"c\u006fntent":"a"}}]}"#,
        #"{"id":"\u0061","choices":[]}"#, #"{"id":1,"choices":[]}"#, #"{"choices":[],"usage":{"prompt_tokens":1.0}}"#,
        #"{"choices":[],"usage":{"input_tokens":1}}"#, #"{"choices":[],"usage":{"prompt_tokens":1,"prompt_cache_hit_tokens":1}}"#,
        #"{"choices":[],"usage":1}"#, #"{"choices":[]"#, #"[{"choices":[]}]"#, "{}", "null", "", #"{"choices":[]}x"#, #"{"choices":[]}{}"#,
    ])
    func `what is not plain is left to the general path`(answer: String) {
        #expect(Self.find(answer) == nil)
    }

    /// Answers put together from plain and other parts at random, then broken at random: both paths give the same.
    @Test(arguments: 0..<40)
    func `both paths agree on random answers`(seed: UInt64) {
        var random = SplitMix(state: seed)
        for _ in 0..<500 {
            let document = RandomStream.document(&random)
            let plain = Self.collect(document, general: false)
            let general = Self.collect(document, general: true)
            guard plain == general else {
                Issue.record("\(String(decoding: document, as: UTF8.self))\nplain: \(plain)\ngeneral: \(general)")
                return
            }
        }
    }

    /// The body byte for byte, or the failure, and what is known of the answer.
    private static func collect(_ document: [UInt8], general: Bool) -> [String] {
        var settings = AnswerSettings.sample()
        settings.thinkTags = document.count % 3 == 0 ? .split : .none
        settings.thinking = document.count % 5 == 0 ? .drop : .pass
        settings.logprobs = document.count % 7 == 0
        settings.keeps = document.count % 2 == 0 ? [.callExtras, .details, .thinking] : []
        var collector = AnswerCollector(settings)
        collector.reader.isGeneralOnly = general
        var body: [UInt8] = []
        do {
            try collector.push(document, at: .after(microseconds: 9))
            body = try collector.finish(at: .after(microseconds: 9))
        } catch {
            body = error.body
        }
        return [String(decoding: body, as: UTF8.self), "\(collector.summary)"]
    }
}
