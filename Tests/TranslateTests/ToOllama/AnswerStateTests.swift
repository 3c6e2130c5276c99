import Testing

@testable import Translate

/// What the caller can ask a translator while an answer comes in.
@Suite struct AnswerStateTests {
    @Test func `the header may go out with the first line, not with the role`() throws {
        var translator = AnswerTranslator(.sample())
        var batch = LineBatch()
        try translator.push(
            Array(#"data: {"choices":[{"delta":{"role":"assistant","content":""}}]}"#.utf8) + [10, 10], at: .after(microseconds: 1),
            into: &batch)
        #expect(!translator.hasBegun && batch.isEmpty)
        try translator.push(AnswerLimitsTests.chunk("x"), at: .after(microseconds: 2), into: &batch)
        #expect(translator.hasBegun && batch.count == 1 && translator.progress == .underWay)
    }

    @Test func `after a finish reason only the end is awaited, and silence ends the answer`() throws {
        var translator = AnswerTranslator(.sample())
        var batch = LineBatch()
        try translator.push(AnswerLimitsTests.chunk("x"), at: .after(microseconds: 1), into: &batch)
        try translator.push(
            Array(#"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}"#.utf8) + [10, 10], at: .after(microseconds: 2), into: &batch)
        #expect(translator.progress == .awaitsOnlyTheEnd)
        try translator.finish(at: .after(microseconds: 3), into: &batch)
        #expect(translator.progress == .complete && batch.count == 2)
    }

    @Test func `[DONE] completes, and nothing after it counts`() throws {
        var translator = AnswerTranslator(.sample())
        var batch = LineBatch()
        try translator.push(AnswerLimitsTests.chunk("x") + AnswerLimitsTests.done, at: .after(microseconds: 1), into: &batch)
        #expect(translator.progress == .complete)
        try translator.push(AnswerLimitsTests.chunk("y"), at: .after(microseconds: 2), into: &batch)
        try translator.finish(at: .after(microseconds: 3), into: &batch)
        #expect(batch.count == 2)
    }

    @Test func `lines before a failure stay in the batch, and the failure closes it`() throws {
        var translator = AnswerTranslator(.sample())
        var batch = LineBatch()
        let failure = #expect(throws: OllamaFailure.self) {
            try translator.push(
                AnswerLimitsTests.chunk("x") + Array("data: {\"error\":\"gone\"}\n\n".utf8), at: .after(microseconds: 1), into: &batch)
        }
        #expect(batch.count == 1 && translator.hasBegun && translator.progress == .underWay)
        batch.append(try #require(failure))
        #expect(String(decoding: batch.line(1), as: UTF8.self) == "{\"error\":\"gone\"}\n")
        try translator.finish(at: .after(microseconds: 2), into: &batch)
        #expect(batch.count == 2, "no final line after a failure")
    }

    @Test func `the summary knows what the log wants`() throws {
        var translator = AnswerTranslator(.sample())
        var batch = LineBatch()
        translator.requestSent(at: .after(microseconds: 10))
        try translator.push(AnswerLimitsTests.chunk("x"), at: .after(microseconds: 30), into: &batch)
        try translator.push(AnswerLimitsTests.chunk("y"), at: .after(microseconds: 70), into: &batch)
        let end =
            #"data: {"id":"c9","choices":[{"delta":{},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":5,"#
            + #""completion_tokens":2,"prompt_tokens_details":{"cached_tokens":4}}}"#
        try translator.push(Array(end.utf8) + [10, 10] + AnswerLimitsTests.done, at: .after(microseconds: 90), into: &batch)
        let summary = translator.summary
        #expect(summary.upstreamID == "c9" && summary.finishReason == "tool_calls" && summary.doneReason == "stop")
        #expect(summary.promptTokens == 5 && summary.answerTokens == 2 && summary.cachedTokens == 4 && !summary.isEstimated)
        #expect(summary.deltas == 2)
        #expect(summary.loadDuration == 10_000 && summary.promptDuration == 20_000 && summary.answerDuration == 40_000)
        #expect(summary.totalDuration == 90_000)
    }

    @Test(arguments: [
        (AnswerShape.chat, LoadAnswer.Reason.load, #""message":{"role":"assistant","content":""},"done":true,"done_reason":"load"}"#),
        (.chat, .unload, #""message":{"role":"assistant","content":""},"done":true,"done_reason":"unload"}"#),
        (.generate, .load, #""response":"","done":true,"done_reason":"load"}"#),
        (.generate, .unload, #""response":"","done":true,"done_reason":"unload"}"#),
    ])
    func `load and unload have one object without figures`(shape: AnswerShape, reason: LoadAnswer.Reason, expected: String) {
        let body = LoadAnswer.body(reason, shape: shape, model: "m", at: .after(microseconds: 120))
        #expect(String(decoding: body, as: UTF8.self) == #"{"model":"m","created_at":"2026-11-21T03:04:05.000120Z","# + expected)
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000000Z"), (951_782_400, "2000-02-29T00:00:00.000000Z"), (1_709_251_199, "2024-02-29T23:59:59.000000Z"),
        (4_107_542_400, "2100-03-01T00:00:00.000000Z"), (253_402_300_799, "9999-12-31T23:59:59.000000Z"),
    ])
    func `dates are those of the calendar`(seconds: Int64, expected: String) {
        var timestamp = Timestamp()
        var text: [UInt8] = []
        text.append(text: Timestamp.epoch)
        timestamp.write(AnswerMoment(nanoseconds: 0, seconds: seconds, fraction: 999), into: &text, at: 0)
        #expect(String(decoding: text, as: UTF8.self) == expected)
    }
}
