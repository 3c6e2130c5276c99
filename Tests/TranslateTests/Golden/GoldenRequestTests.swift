import Foundation
import TestSupport
import Testing

@testable import Translate

/// What each folder of `fixtures/chat` says should go to the upstream, or come back as a failure.
@Suite struct GoldenRequestTests {
    @Test(arguments: RequestCase.all)
    func `the upstream gets what the folder says`(_ example: RequestCase) throws {
        let outcome = try Walk(example).run()
        switch outcome {
        case .body(let body):
            #expect(body.path == example.expectedPath)
            let sent = try JSONParser.parse(body.joined)
            #expect(Set(sent.object?.members.map(\.key) ?? []) == body.parameters, "the body and its list of parameters agree")
            try compare(sent, with: "openai-request.json", example)
        case .failure(let failure):
            var found = try #require(try JSONParser.parse(failure.body).object)
            found["status"] = .integer(failure.status)
            try compare(.object(found), with: "ollama-failure.json", example)
        case .work(let word):
            #expect(example.settings["work"]?.string == word)
        }
    }

    @Test func `there are enough folders to learn the product from`() {
        #expect(RequestCase.all.count >= 90)
    }

    /// With UPDATE_FIXTURES set the file is written instead: read the difference before committing it.
    private func compare(_ found: JSONValue, with file: String, _ example: RequestCase) throws {
        if ProcessInfo.processInfo.environment["UPDATE_FIXTURES"] != nil {
            let fixtures = Fixtures.folder.appending(path: "chat")
            try Data(PrettyJSON.bytes(found)).write(to: fixtures.appending(path: example.name).appending(path: file))
            return
        }
        try #require(example.has(file), "\(example.name) has no \(file); found \(JSONDifference.text(found))")
        let lines = JSONDifference.lines(expected: try example.json(file), actual: found)
        #expect(lines.isEmpty, "\(example.name)/\(file):\n\(lines.joined(separator: "\n"))")
    }
}

/// The road of a request as the server walks it, with pictures taken as they are.
struct Walk {
    enum Outcome {
        case body(UpstreamBody)
        case failure(OllamaFailure)
        case work(String)
    }

    let example: RequestCase

    init(_ example: RequestCase) { self.example = example }

    /// - Parameter bytes: Another request in the place of the folder's.
    func run(_ bytes: [UInt8]? = nil) throws -> Outcome {
        do {
            let bytes = try bytes ?? example.bytes("ollama-request.json")
            switch example.endpoint {
            case "/v1/chat/completions": return .body(try edited(bytes))
            case "/api/embed", "/api/embeddings":
                let route: EmbedRequest.Route = example.endpoint == "/api/embed" ? .embed : .embeddings
                let request = try EmbedRequest.decode(try RequestBody.parse(bytes), route: route)
                let model = try example.catalog(model: request.model).require(request.model, for: .embed)
                let batch = EmbeddingsMapping.batches(request, members: [model]).first
                return batch.map { .body(EmbeddingsMapping.build($0, of: request, model: model)) } ?? .work("empty")
            default: return try inference(try RequestBody.parse(bytes))
            }
        } catch let failure as OllamaFailure {
            return .failure(failure)
        }
    }

    private func inference(_ json: JSONValue) throws -> Outcome {
        let isGenerate = example.endpoint == "/api/generate"
        var request = try isGenerate ? InferenceRequest.generate(json) : InferenceRequest.chat(json)
        if request.work == .unload { return .work("unload") }
        let model = try example.catalog(model: request.model).require(request.model, for: isGenerate ? .generate : .chat)
        try request.check(against: model)
        if request.work == .load { return .work("load") }
        let memory = try memory(of: model)
        request = request.recalling(EchoParts(model.dialect)) { memory[$0] }
        let treatments = try request.imageTreatments(for: model)
        let images = zip(request.messages, treatments).map { message, treatments in
            zip(message.images, treatments).map(Self.outcome)
        }
        var adjustments = LearnedAdjustments()
        for refusal in example.settings["refusals"]?.array ?? [] {
            let refused = try ChatCompletionBuilder.build(request, model: model, images: images, adjustments: adjustments)
            let lesson = LearnedAdjustments.learn(
                status: refusal.object?["status"]?.number?.integer ?? 400,
                body: JSONWriter.bytes(refusal.object?["body"] ?? .null), sent: refused.parameters, values: refused.values)
            adjustments.apply(try #require(lesson, "nothing was learnt from \(JSONDifference.text(refusal))"))
        }
        let body = try ChatCompletionBuilder.build(request, model: model, images: images, adjustments: adjustments)
        let pictures = images.joined().count { if case .jpeg = $0 { true } else { false } }
        #expect(body.pieces.count == 2 * pictures + 1, "each picture is a piece of its own")
        return .body(body)
    }

    /// What is remembered of the answer to an earlier request, if the folder has one.
    private func memory(of model: ResolvedModel) throws -> [UInt64: Remembered] {
        guard example.has("earlier-upstream.sse") else { return [:] }
        let request = try InferenceRequest.chat(try example.json("earlier-request.json"))
        var settings = AnswerSettings(shape: .chat, model: request.model, requestReceived: .milliseconds(0))
        settings.keeps = EchoParts(model.dialect, answering: request)
        settings.toolCallSeed = request.toolCallSeed
        var translator = AnswerTranslator(settings)
        var lines = LineBatch()
        try translator.push(try example.bytes("earlier-upstream.sse"), at: .milliseconds(5), into: &lines)
        try translator.finish(at: .milliseconds(5), into: &lines)
        var memory: [UInt64: Remembered] = [:]
        for entry in translator.summary.echo?.entries(at: EchoPlace(answering: request)) ?? [] {
            for key in entry.keys { memory[key] = entry.value }
        }
        return memory
    }

    private func edited(_ bytes: [UInt8]) throws -> UpstreamBody {
        let editor = try OpenAIRequestEditor(bytes)
        let model = try example.catalog(model: editor.model).require(editor.model, for: .chat)
        let treatments = try editor.treatments(for: model)
        return editor.rewritten(model: model, outcomes: zip(editor.pictures.map(\.source), treatments).map(Self.outcome))
    }

    /// Stands in for fetching and converting: base64 goes on as it came, a fetched picture is its URL's last step.
    private static func outcome(_ source: ImageSource, _ treatment: ImageTreatment) -> ImageOutcome {
        switch (treatment, source) {
        case (.notice(let fault), _), (.refuse(let fault), _): return .notice(fault.notice)
        case (.describe(let captioner), _): return .notice("[Image, described by \(captioner)]")
        case (.convert, .encoded(let text)):
            let base64 = text.starts(with: "data:".utf8) ? text.drop { $0 != UInt8(ascii: ",") }.dropFirst() : text
            return .jpeg(base64: [Array(base64)[...]])
        case (.convert, .url(let url)): return .jpeg(base64: [Array((url.split(separator: "/").last ?? "").utf8)[...]])
        case (.convert, .faulty): return .notice("")
        }
    }
}

/// JSON as the fixtures have it: two blanks a level, short values on one line.
enum PrettyJSON {
    static func bytes(_ value: JSONValue) -> [UInt8] { Array((text(value, indent: "") + "\n").utf8) }

    private static func text(_ value: JSONValue, indent: String) -> String {
        let flat = String(decoding: JSONWriter.bytes(value), as: UTF8.self)
        let inner = indent + "  "
        switch value {
        case .object(let object) where flat.utf8.count + indent.utf8.count > 100:
            let members = object.members.map { "\(inner)\(quoted($0.key)): \(text($0.value, indent: inner))" }
            return "{\n" + members.joined(separator: ",\n") + "\n\(indent)}"
        case .array(let values) where flat.utf8.count + indent.utf8.count > 100:
            return "[\n" + values.map { inner + text($0, indent: inner) }.joined(separator: ",\n") + "\n\(indent)]"
        default: return flat
        }
    }

    private static func quoted(_ key: String) -> String { String(decoding: JSONWriter.bytes(.text(key)), as: UTF8.self) }
}
