/// A `/v1` request that passes through: the model's name, the pictures and what this upstream has refused before are replaced, every other
/// byte stays.
public struct OpenAIRequestEditor: Sendable {
    /// As the client wrote it; "" when absent.
    public let model: String
    /// Absent means false here.
    public let stream: Bool
    /// The pictures in order.
    public let pictures: [Picture]
    public let route: Route

    private let body: [UInt8]
    /// Where the object ends and what it holds at the top.
    private let document: Range<Int>
    private let members: [JSONSpans.Member]
    private let modelRange: Range<Int>?

    /// The routes whose bodies are edited.
    public enum Route: String, Sendable {
        case chatCompletions = "/chat/completions"
        case completions = "/completions"
        case embeddings = "/embeddings"
    }

    /// One `image_url` part.
    public struct Picture: Sendable, Equatable {
        public var source: ImageSource
        /// The client's `detail`, kept.
        public var detail: String?
        /// Where it stands, for an error's `param`: `messages[4].content[1].image_url.url`.
        public var param: String
        /// Position of its message.
        public var message: Int
        /// In earlier turns a bad picture becomes a notice, here an error.
        public var isInNewestTurn: Bool
        /// The whole content part in the body: what a notice replaces.
        fileprivate var part: Range<Int>
        /// What a JPEG replaces.
        fileprivate var target: Range<Int>
        fileprivate var form: Form

        fileprivate enum Form {
            /// The URL's text.
            case text
            /// An `image_url` that is no object, or has no URL.
            case object
            /// All of a part in the form of another API of OpenAI's.
            case part
        }
    }

    /// Reads a body; what it does not understand it leaves to the upstream.
    ///
    /// - Throws: 400 when the body is no JSON object or a chat has no messages.
    public init(_ body: [UInt8], route: Route = .chatCompletions, limits: JSONLimits = .standard) throws(OpenAIFailure) {
        var body = body
        do {
            guard let object = try Self.parse(&body, limits).object else {
                throw OpenAIFailure(status: 400, message: "the request body must be a JSON object")
            }
            if let tidied = OpenAIKeys.tidied(object) { body = JSONWriter.bytes(.object(tidied)) }
        } catch let error as JSONError {
            throw OpenAIFailure(status: 400, message: error == .empty ? "missing request body" : error.message)
        } catch {
            throw error as? OpenAIFailure ?? OpenAIFailure(status: 400, message: "the request body must be a JSON object")
        }
        let spans = JSONSpans(bytes: body)
        let members = spans.members(of: spans.document)
        self.members = members
        self.body = body
        self.route = route
        document = spans.document
        modelRange = members.last { $0.key == "model" }?.value
        model = modelRange.flatMap { spans.text(at: $0)?.string } ?? ""
        stream = members.last { $0.key == "stream" }.map { body[$0.value].elementsEqual("true".utf8) } ?? false
        guard route == .chatCompletions else {
            pictures = []
            return
        }
        let messages = members.last { $0.key == "messages" }.map { spans.elements(of: $0.value) } ?? []
        if messages.isEmpty { throw OpenAIFailure(status: 400, message: "[] is too short - 'messages'", param: "messages") }
        pictures = Self.pictures(in: messages, spans)
    }

    /// Bytes that are no UTF-8 become U+FFFD, as Ollama reads them.
    private static func parse(_ body: inout [UInt8], _ limits: JSONLimits) throws(JSONError) -> JSONValue {
        do {
            return try JSONParser.parse(body, limits: limits)
        } catch .invalidUTF8 {
            let repaired = try JSONParser.parse(body, limits: limits, rule: .repair)
            body = JSONWriter.bytes(repaired)
            return repaired
        } catch {
            throw error
        }
    }

    private static func pictures(in messages: [Range<Int>], _ spans: JSONSpans) -> [Picture] {
        let roles = messages.map { spans.last("role", in: $0).flatMap { spans.text(at: $0)?.string } }
        var end = roles.count
        while end > 0, roles[end - 1] == "assistant" { end -= 1 }
        let newest = roles[..<end].lastIndex { $0 == "assistant" }.map { $0 + 1 } ?? 0
        var pictures: [Picture] = []
        for (index, message) in messages.enumerated() {
            guard let content = spans.last("content", in: message) else { continue }
            for (position, part) in spans.elements(of: content).enumerated() {
                guard var picture = picture(part, spans) else { continue }
                picture.param = "messages[\(index)].content[\(position)].\(picture.param)"
                picture.message = index
                picture.isInNewestTurn = index >= newest
                pictures.append(picture)
            }
        }
        return pictures
    }

    /// A picture part: `image_url` as an object, or as the bare string that some clients send.
    private static func picture(_ part: Range<Int>, _ spans: JSONSpans) -> Picture? {
        let members = spans.members(of: part)
        guard let image = members.last(where: { $0.key == "image_url" })?.value else { return nil }
        let type = members.last { $0.key == "type" }.flatMap { spans.text(at: $0.value)?.string }
        let inner = spans.members(of: image)
        let url = inner.isEmpty ? image : inner.last { $0.key == "url" }?.value
        let isForeign = type.map { $0 != "image_url" } ?? false
        let detail = (isForeign && inner.isEmpty ? members : inner).last { $0.key == "detail" }.flatMap { spans.text(at: $0.value)?.string }
        let source = url.map { range in
            spans.text(at: range).map { ImageSource(text: $0.utf8) }
                ?? .faulty(spans.bytes[range].elementsEqual("null".utf8) ? .empty : .notText)
        }
        // One that is no text would stand beside a configured one.
        let hasOddDetail = detail == nil && inner.contains { $0.key == "detail" }
        let form: Picture.Form = isForeign ? .part : url == nil || inner.isEmpty || hasOddDetail ? .object : .text
        let targets: [Picture.Form: Range<Int>] = [.part: part, .object: image, .text: url ?? image]
        return Picture(
            source: source ?? .faulty(.empty), detail: detail, param: inner.isEmpty ? "image_url" : "image_url.url", message: 0,
            isInNewestTurn: true, part: part, target: targets[form] ?? image, form: form)
    }
}

extension OpenAIRequestEditor {
    /// Bytes of the body without its pictures, for an estimate of the prompt's tokens when the upstream counts none.
    public var textBytes: Int { document.count - pictures.reduce(0) { $0 + $1.target.count } }

    /// What is asked: the text of the last user message, the prompt, or the texts to embed. Found anew each time.
    public var question: String {
        let spans = JSONSpans(bytes: body)
        func value(_ key: String) -> Range<Int>? { members.last { $0.key == key }?.value }
        switch route {
        case .chatCompletions:
            let users = spans.elements(of: value("messages") ?? 0..<0).filter { message in
                spans.last("role", in: message).flatMap { spans.text(at: $0)?.string } == "user"
            }
            return users.last.flatMap { spans.last("content", in: $0) }.map { Self.texts(at: $0, spans) } ?? ""
        case .completions: return value("prompt").map { Self.texts(at: $0, spans) } ?? ""
        case .embeddings: return value("input").map { Self.texts(at: $0, spans) } ?? ""
        }
    }

    /// A string, or the strings and text parts of an array, each on a line of its own.
    private static func texts(at range: Range<Int>, _ spans: JSONSpans) -> String {
        if let text = spans.text(at: range) { return text.string }
        let texts = spans.elements(of: range).compactMap { part in
            spans.text(at: part) ?? spans.last("text", in: part).flatMap { spans.text(at: $0) }
        }
        return texts.map(\.string).joined(separator: "\n")
    }

    /// What is to be done with each of ``pictures``.
    ///
    /// - Throws: The first picture of the newest turn that cannot go to this model, with its `param`.
    public func treatments(for model: ResolvedModel) throws(OpenAIFailure) -> [ImageTreatment] {
        let items = pictures.map { ImagePlan.Item(source: $0.source, isInNewestTurn: $0.isInNewestTurn) }
        let treatments = ImagePlan.decide(items, model: model, requestedName: self.model)
        for (picture, treatment) in zip(pictures, treatments) {
            if case .refuse(let fault) = treatment { throw OpenAIFailure(fault.failure(), param: picture.param) }
        }
        return treatments
    }

    /// The body to send.
    ///
    /// - Parameters:
    ///   - outcomes: What became of each of ``pictures``, in the same order.
    ///   - adjustments: What earlier refusals of this model taught. A schema stays a schema, and messages stay as they are.
    public func rewritten(
        model: ResolvedModel, outcomes: [ImageOutcome] = [], adjustments: LearnedAdjustments = .init()
    ) -> UpstreamBody {
        var writer = BodyWriter()
        var position = document.lowerBound
        let parameters = OpenAIParameterEdits(members, of: body, adjustments)
        var replacements: [(range: Range<Int>, write: (inout BodyWriter) -> Void)] = parameters.replacements.map { replacement in
            (replacement.range, { $0.raw(replacement.bytes[...]) })
        }
        if let modelRange { replacements.append((modelRange, { $0.string(model.upstreamID) })) }
        for (index, picture) in pictures.enumerated() {
            let outcome = index < outcomes.count ? outcomes[index] : .notice(ImageFault.broken(reason: nil).notice)
            switch outcome {
            case .notice(let text): replacements.append((picture.part, { Self.write(notice: text, to: &$0) }))
            case .jpeg(let base64, let detail):
                replacements.append((picture.target, { Self.write(base64, detail: detail, for: picture, to: &$0) }))
            }
        }
        for (range, write) in replacements.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            guard range.lowerBound >= position else { continue }
            writer.raw(body[position..<range.lowerBound])
            write(&writer)
            position = range.upperBound
        }
        writer.raw(body[position..<document.upperBound])
        return UpstreamBody(path: route.rawValue, pieces: writer.finish(), keys: parameters.sent, originalToolNames: [:])
    }

    private static func write(notice: String, to writer: inout BodyWriter) {
        writer.raw(#"{"type":"text","text":"#)
        writer.string(notice)
        writer.raw("}")
    }

    /// The client's own `detail` stays where it is; a configured one is added behind the URL.
    private static func write(_ base64: [ArraySlice<UInt8>], detail: String?, for picture: Picture, to writer: inout BodyWriter) {
        switch picture.form {
        case .text: break
        case .object: writer.raw(#"{"url":"#)
        case .part: writer.raw(#"{"type":"image_url","image_url":{"url":"#)
        }
        writer.raw(#""data:image/jpeg;base64,"#)
        writer.picture(base64)
        writer.raw(#"""#)
        if let detail = picture.form == .part ? picture.detail ?? detail : picture.detail == nil ? detail : nil {
            writer.raw(#","detail":"#)
            writer.string(detail)
        }
        if picture.form != .text { writer.raw(picture.form == .part ? "}}" : "}") }
    }
}
