import Testing

@testable import Translate

@Suite struct AnswerTranslatorTests {
    @Test func `a plain stream becomes lines`() throws {
        var translator = AnswerTranslator(.sample())
        let lines = try translator.lines(
            """
            data: {"id":"c1","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}

            data: {"id":"c1","choices":[{"index":0,"delta":{"content":"Helé"},"finish_reason":null}]}

            data: {"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2}}

            data: [DONE]


            """)
        #expect(
            lines == [
                #"{"model":"m","created_at":"2026-11-21T03:04:05.000100Z","message":{"role":"assistant","content":"Helé"},"done":false}"#,
                #"{"model":"m","created_at":"2026-11-21T03:04:05.000100Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":100001,"load_duration":1,"prompt_eval_count":5,"prompt_eval_duration":20000,"eval_count":2,"eval_duration":80000}"#,
            ])
        #expect(translator.progress == .complete)
    }
}

extension AnswerMoment {
    /// A moment some microseconds after 2026-11-21 03:04:05 UTC.
    static func after(microseconds: Int64) -> AnswerMoment {
        AnswerMoment(nanoseconds: microseconds * 1000, seconds: 1_795_230_245, fraction: microseconds * 1000 % 1_000_000_000)
    }
}

extension AnswerSettings {
    static func sample(_ shape: AnswerShape = .chat) -> AnswerSettings {
        AnswerSettings(shape: shape, model: "m", requestReceived: .after(microseconds: 0))
    }
}

extension AnswerTranslator {
    /// All lines of a body that comes at once.
    mutating func lines(_ body: String) throws -> [String] {
        var batch = LineBatch()
        try push(Array(body.utf8), at: .after(microseconds: 100), into: &batch)
        try finish(at: .after(microseconds: 100), into: &batch)
        return (0..<batch.count).map { String(decoding: batch.line($0).dropLast(), as: UTF8.self) }
    }
}
