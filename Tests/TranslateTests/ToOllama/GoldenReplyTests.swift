import TestSupport
import Testing

@testable import Translate

/// Runs the reply half of `fixtures/chat`: `upstream.sse` or `upstream.json` in, `ollama-reply.ndjson` or `ollama-reply.json` out.
@Suite struct GoldenReplyTests {
    static let cases = FixtureFolder.all("chat").compactMap(ReplyCase.init)

    @Test func `there are cases`() {
        #expect(Self.cases.count >= 190)
    }

    @Test(arguments: cases)
    func `the answer is the recorded one`(reply: ReplyCase) {
        let outcome = reply.run(pieces: [reply.upstream[...]])
        #expect(outcome.text == reply.expected)
        #expect(outcome.status == reply.status)
    }

    @Test(arguments: cases)
    func `byte by byte the answer is the same`(reply: ReplyCase) {
        let outcome = reply.run(pieces: reply.upstream.indices.map { reply.upstream[$0...$0] })
        #expect(outcome.text == reply.expected)
        #expect(outcome.status == reply.status)
    }

    @Test(arguments: cases)
    func `cut anywhere in its first two kilobytes the answer is the same`(reply: ReplyCase) {
        for cut in 0..<min(2048, reply.upstream.count) {
            let outcome = reply.run(pieces: [reply.upstream[..<cut], reply.upstream[cut...]])
            guard outcome.text == reply.expected, outcome.status == reply.status else {
                Issue.record("cut at byte \(cut): \(outcome.text)")
                return
            }
        }
    }

    @Test(arguments: cases)
    func `the general path alone gives the same answer`(reply: ReplyCase) {
        let outcome = reply.run(pieces: [reply.upstream[...]], isGeneralOnly: true)
        #expect(outcome.text == reply.expected)
        #expect(outcome.status == reply.status)
    }

    @Test(arguments: cases)
    func `every line is one JSON object and the final one is the last`(reply: ReplyCase) throws {
        guard reply.isStreamed else { return }
        let lines = reply.expected.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.last == "", "the last line ends in a newline")
        let objects = try lines.dropLast().map { try #require(try JSONParser.parse(Array($0.utf8)).object) }
        for (index, object) in objects.enumerated() {
            let isLast = index == objects.count - 1
            if isLast, object["error"] != nil { continue }
            #expect(object["error"] == nil)
            #expect(object["done"] == .bool(isLast))
            #expect((object["done_reason"] != nil) == isLast)
        }
    }
}

/// A case that has a reply half.
struct ReplyCase: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var upstream: [UInt8]
    var expected: String
    var status: Int
    var isStreamed: Bool
    private var settings: AnswerSettings
    var contentType: String?

    struct Outcome {
        /// What a client reads: lines, or a body and a newline.
        var text: String
        var status: Int
    }

    init?(_ folder: FixtureFolder) {
        let events = folder.file("upstream.sse")
        guard let upstream = events ?? folder.file("upstream.json"),
            let expected = folder.file("ollama-reply.ndjson") ?? folder.file("ollama-reply.json"),
            let request = folder.file("ollama-request.json").flatMap({ try? JSONParser.parse($0).object })
        else { return nil }
        let facts = folder.file("case.json").flatMap { try? JSONParser.parse($0).object } ?? [:]
        testDescription = folder.name
        self.upstream = upstream
        self.expected = String(decoding: expected, as: UTF8.self)
        status = facts["status"]?.number?.integer ?? 200
        isStreamed = request["stream"]?.bool ?? true
        contentType = events != nil ? "text/event-stream" : "application/json"
        if let declared = facts["contentType"] { contentType = declared.string }
        settings = Self.settings(request, facts)
    }

    private static func settings(_ request: JSONObject, _ facts: JSONObject) -> AnswerSettings {
        let shape: AnswerShape = facts["endpoint"]?.string == "/api/generate" ? .generate : .chat
        var settings = AnswerSettings(shape: shape, model: request["model"]?.string ?? "", requestReceived: .milliseconds(0))
        settings.thinking = request["think"]?.bool == false ? .drop : .pass
        settings.thinkTags =
            switch facts["thinkTags"]?.string {
            case "split": .split
            case "splitOpened": .splitOpened
            default: .none
            }
        settings.logprobs = request["logprobs"]?.bool ?? false
        settings.topLogprobs = request["top_logprobs"]?.number?.integer ?? 0
        settings.context = facts["contextOut"]?.array?.compactMap { $0.number?.integer }
        let texts = [request["prompt"]?.string] + (request["messages"]?.array ?? []).map { $0.object?["content"]?.string }
        settings.promptBytes = texts.compactMap { $0?.utf8.count }.reduce(0, +)
        settings.toolCallSeed = 7
        return settings
    }

    /// Received at 0, sent upstream at 1 ms; everything else happens at 5 ms, so that cuts change nothing.
    func run(pieces: [ArraySlice<UInt8>], isGeneralOnly: Bool = false) -> Outcome {
        isStreamed ? stream(pieces, isGeneralOnly) : collect(pieces, isGeneralOnly)
    }

    private func stream(_ pieces: [ArraySlice<UInt8>], _ isGeneralOnly: Bool) -> Outcome {
        var translator = AnswerTranslator(settings)
        var batch = LineBatch()
        translator.reader.isGeneralOnly = isGeneralOnly
        translator.requestSent(at: .milliseconds(1))
        translator.begin(contentType: contentType)
        do {
            for piece in pieces { try translator.push(Array(piece), at: .milliseconds(5), into: &batch) }
            try translator.finish(at: .milliseconds(5), into: &batch)
        } catch {
            guard translator.hasBegun else { return Outcome(failure: error) }
            batch.append(error)
        }
        return Outcome(text: (0..<batch.count).map { Self.plain(batch.line($0)) }.joined(), status: 200)
    }

    /// A line with needless escapes undone: the usual path leaves text escaped as the upstream wrote it.
    private static func plain(_ line: ArraySlice<UInt8>) -> String {
        guard line.contains(UInt8(ascii: "\\")), let value = try? JSONParser.parse(Array(line)) else {
            return String(decoding: line, as: UTF8.self) + (line.last == 0x0A ? "" : "\n")
        }
        return String(decoding: JSONWriter.bytes(value), as: UTF8.self) + "\n"
    }

    private func collect(_ pieces: [ArraySlice<UInt8>], _ isGeneralOnly: Bool) -> Outcome {
        var collector = AnswerCollector(settings)
        collector.reader.isGeneralOnly = isGeneralOnly
        collector.requestSent(at: .milliseconds(1))
        collector.begin(contentType: contentType)
        do {
            for piece in pieces { try collector.push(Array(piece), at: .milliseconds(5)) }
            let body = try collector.finish(at: .milliseconds(5))
            return Outcome(text: Self.plain(body[...]), status: 200)
        } catch {
            return Outcome(failure: error)
        }
    }
}

extension ReplyCase.Outcome {
    init(failure: OllamaFailure) {
        self.init(text: String(decoding: failure.body, as: UTF8.self) + "\n", status: failure.status)
    }
}

extension AnswerMoment {
    static func milliseconds(_ count: Int64) -> AnswerMoment {
        AnswerMoment(nanoseconds: count * 1_000_000, seconds: 1_795_230_245, fraction: 0)
    }
}
