import Testing

@testable import Translate

/// What is large, many or absurd is refused or bounded, and never traps.
@Suite struct AnswerLimitsTests {
    static func run(_ pieces: [[UInt8]], _ settings: AnswerSettings = .sample()) -> (lines: [String], failure: OllamaFailure?) {
        var translator = AnswerTranslator(settings)
        var batch = LineBatch()
        var failure: OllamaFailure?
        do {
            for piece in pieces { try translator.push(piece, at: .after(microseconds: 9), into: &batch) }
            try translator.finish(at: .after(microseconds: 9), into: &batch)
        } catch {
            failure = error
        }
        return ((0..<batch.count).map { String(decoding: batch.line($0), as: UTF8.self) }, failure)
    }

    static func chunk(_ content: String) -> [UInt8] {
        Array(#"data: {"choices":[{"index":0,"delta":{"content":"\#(content)"}}]}"#.utf8) + [0x0A, 0x0A]
    }

    static let done = Array("data: [DONE]\n\n".utf8)

    @Test(arguments: [1, 7 << 20])
    func `a line of megabytes passes`(size: Int) {
        let outcome = Self.run([Self.chunk(String(repeating: "a", count: size)), Self.done])
        #expect(outcome.failure == nil)
        #expect(outcome.lines.first?.utf8.count ?? 0 > size)
    }

    @Test func `a line over the cap ends the answer, whole or in pieces, ended or not`() {
        let long = Self.chunk(String(repeating: "a", count: ServerSentEventLines.longestLine))
        #expect(Self.run([long]).failure == FailureMapping.lineTooLong)
        #expect(Self.run([Array(long[..<5_000_000]), Array(long[5_000_000...])]).failure == FailureMapping.lineTooLong)
        #expect(Self.run([Array("data: ".utf8), [UInt8](repeating: 0x61, count: 9 << 20)]).failure == FailureMapping.lineTooLong)
        #expect(Self.run([Self.chunk("x"), long]).lines.count == 1)
    }

    @Test func `data lines of one event are capped together`() {
        let opening = Array("data: {\n".utf8)
        let more = Array(("data: " + String(repeating: " ", count: 1 << 20) + "\n").utf8)
        #expect(Self.run([opening] + Array(repeating: more, count: 9)).failure == FailureMapping.lineTooLong)
    }

    @Test func `ten thousand tool calls come out, one a line`() {
        let calls = (0..<10_000).map {
            #"data: {"choices":[{"delta":{"tool_calls":[{"index":\#($0),"function":{"name":"f","arguments":"{}"}}]}}]}"# + "\n\n"
        }
        let outcome = Self.run([Array(calls.joined().utf8), Self.done])
        #expect(outcome.failure == nil)
        #expect(outcome.lines.count == 10_001)
    }

    @Test func `tool arguments without an end are cut off`() {
        let piece = String(repeating: "a", count: 1 << 20)
        let chunk = #"data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"\#(piece)"}}]}}]}"# + "\n\n"
        #expect(Self.run(Array(repeating: Array(chunk.utf8), count: 9)).failure?.code == "UPSTREAM_TOO_LARGE")
    }

    @Test func `a gathered answer without an end is cut off`() {
        var collector = AnswerCollector(.sample())
        let chunk = Self.chunk(String(repeating: "a", count: 1 << 20))
        let failure = #expect(throws: OllamaFailure.self) {
            for _ in 0...65 { try collector.push(chunk, at: .after(microseconds: 9)) }
        }
        #expect(failure?.code == "UPSTREAM_TOO_LARGE")
    }

    @Test func `deep nesting is a failure, not a crash`() {
        let deep = "data: " + String(repeating: "[", count: 100_000) + "\n\n"
        #expect(Self.run([Array(deep.utf8)]).failure == FailureMapping.unreadable)
    }

    @Test func `moments at the ends of time make a timestamp`() {
        for moment in [
            AnswerMoment(nanoseconds: .max, seconds: .max, fraction: .max), AnswerMoment(nanoseconds: .min, seconds: .min, fraction: .min),
        ] {
            var settings = AnswerSettings(shape: .chat, model: "m", requestReceived: moment)
            settings.promptBytes = .max
            let outcome = Self.run([Self.chunk("x"), Self.done], settings)
            #expect(outcome.failure == nil && outcome.lines.count == 2)
        }
    }

    @Test func `absurd usage stays within what clients can read`() {
        let usage = #"data: {"choices":[],"usage":{"prompt_tokens":9223372036854775807,"completion_tokens":9223372036854775807}}"# + "\n\n"
        let timings =
            #"data: {"choices":[],"timings":{"prompt_n":9223372036854775807,"cache_n":1,"prompt_ms":999999999999,"predicted_ms":999999999999}}"#
        let outcome = Self.run([Self.chunk("x"), Array(usage.utf8), Array((timings + "\n\n").utf8), Self.done])
        #expect(outcome.failure == nil)
        #expect(outcome.lines.last?.contains(#""eval_count":1,"#) == true)
    }
}
