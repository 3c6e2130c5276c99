/// Passes an upstream's `/v1` answer through, with the model's name as the client asked for it and errors without keys.
///
/// Server-sent events go on line by line as they come, line ends as LF; an event whose JSON takes several lines goes on at its end, a JSON
/// object at the end of the body; anything else goes on as it is.
public struct OpenAIStreamRewriter: Sendable {
    /// The largest JSON body that is held to be changed.
    public static let largestBody = 64 << 20

    private enum Mode {
        case sniffing
        case events
        case document
        case untouched
    }

    /// Whether the stream has said `[DONE]`.
    public private(set) var sawDone = false
    /// The error that the answer reported, in the words that went on.
    public private(set) var failure: OllamaFailure?
    /// Whether any part of an answer has come.
    public private(set) var sawChoice = false
    private var sawEnd = false
    /// Whether events go on; known after the first byte.
    public var isEventStream: Bool { mode == .events || mode == .document && asEvents }

    /// Whether the upstream has sent something that is no answer of this API at all.
    public var isForeign: Bool { mode == .untouched }

    /// Whether the upstream has sent nothing that a client has any use for.
    public var isEmpty: Bool { !sawChoice && !sawEnd && failure == nil }

    private let name: [UInt8]
    private let asEvents: Bool
    private let mirrorsReasoning: Bool
    private let failures: FailureContext
    private var contentType = ""
    private var mode = Mode.sniffing
    private var lines = ServerSentEventLines()
    private var isErrorEvent = false
    /// The data lines of an event whose JSON is not whole after its first; nil otherwise.
    private var held: [UInt8]?
    private var document: [UInt8] = []

    /// - Parameters:
    ///   - model: The name the client asked for.
    ///   - asEvents: The client asked for a stream: an answer that comes whole becomes one.
    ///   - mirrorsReasoning: Whether `reasoning_content` and `reasoning` are each sent under the other's name too.
    ///   - failures: What the mapping of upstream errors needs to know; nil knows no more than the model.
    public init(model: String, asEvents: Bool = false, mirrorsReasoning: Bool = true, failures: FailureContext? = nil) {
        var name: [UInt8] = []
        JSONWriter.append(quoting: model, to: &name)
        self.name = name
        self.asEvents = asEvents
        self.mirrorsReasoning = mirrorsReasoning
        self.failures = failures ?? FailureContext(model: model)
    }

    /// Notes what the upstream says its body is. The body's first byte counts for more.
    ///
    /// - Throws: If it says that it is a web page.
    public mutating func begin(contentType: String?) throws(OllamaFailure) {
        self.contentType = contentType?.lowercased() ?? ""
        if self.contentType.contains("text/html") { throw FailureMapping.webPage }
    }

    /// Takes the next bytes and appends what can go on.
    ///
    /// - Throws: If one line or a JSON body is larger than is taken.
    public mutating func push(_ bytes: Span<UInt8>, into output: inout [UInt8]) throws(OllamaFailure) {
        var start = 0
        if mode == .sniffing {
            while start < bytes.count, Self.isBlankOrMark(bytes[start]) { start += 1 }
            guard start < bytes.count else { return }
            mode = try sniff(bytes[start])
        }
        switch mode {
        case .sniffing: break
        case .events: try pushLines(bytes, from: start, into: &output)
        case .document:
            guard bytes.count - start <= Self.largestBody - document.count else {
                throw FailureMapping.failure(.tooLarge, context: failures)
            }
            document.append(copying: bytes.extracting(start..<bytes.count))
        case .untouched: output.append(copying: bytes.extracting(start..<bytes.count))
        }
    }

    /// Takes the next bytes and appends what can go on.
    public mutating func push(_ bytes: [UInt8], into output: inout [UInt8]) throws(OllamaFailure) {
        try push(bytes.span, into: &output)
    }

    /// Takes the end of the upstream's body and appends what is left.
    ///
    /// - Throws: If a stream of choices ends with neither a finish reason nor an error nor `[DONE]`: it was cut, and must not look complete.
    public mutating func finish(into output: inout [UInt8]) throws(OllamaFailure) {
        switch mode {
        case .sniffing, .untouched: break
        case .events:
            let rest = lines.takeRest()
            // Half an event is of use to nobody, and the error that may follow must not run into it.
            if !rest.isEmpty { try append(line: rest.span, isLast: true, to: &output) }
            if let whole = held.take(), Self.isWhole(whole) { append(event: whole, to: &output) }
            guard sawDone || sawEnd || !sawChoice else {
                if let last = output.last, last != 0x0A { output += [0x0A, 0x0A] }
                throw FailureMapping.cutOff
            }
        case .document:
            let whole = document
            document = []
            guard asEvents else { return append(whole.span, to: &output) }
            try append(asEvents: whole, to: &output)
        }
    }

    /// Appends a whole answer, or the chunks of a stream without its frame, whose end has to be said.
    private mutating func append(asEvents document: [UInt8], to output: inout [UInt8]) throws(OllamaFailure) {
        let (values, error) = JSONParser.parseAll(document, limits: JSONLimits(tokens: 3_000_000))
        for value in values where failure == nil {
            append(event: JSONWriter.bytes(Self.chunk(of: value)), to: &output)
            output.append(0x0A)
        }
        guard failure == nil else { return }
        if let error { throw error == .unexpectedEnd ? FailureMapping.cutOff : FailureMapping.unreadable }
        guard sawEnd || values.count == 1 else { throw FailureMapping.cutOff }
        output += Array("data: [DONE]\n\n".utf8)
    }

    /// The one chunk that says what a whole answer says.
    private static func chunk(of answer: JSONValue) -> JSONValue {
        guard var object = answer.object, let choices = object["choices"]?.array else { return answer }
        if object["object"] == "chat.completion" { object["object"] = "chat.completion.chunk" }
        object["choices"] = .array(
            choices.map { choice in
                guard let choice = choice.object else { return choice }
                return .object(
                    JSONObject(
                        choice.members.map { member in
                            member.key == "message" ? JSONObject.Member(key: "delta", value: delta(member.value)) : member
                        }))
            })
        return .object(object)
    }

    /// In a stream every call has its number.
    private static func delta(_ message: JSONValue) -> JSONValue {
        guard var delta = message.object, let calls = delta["tool_calls"]?.array else { return message }
        delta["tool_calls"] = .array(
            calls.enumerated().map { position, call in
                guard var call = call.object else { return call }
                call["index"] = call["index"] ?? .integer(position)
                return .object(call)
            })
        return .object(delta)
    }

    private static func isBlankOrMark(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF: true
        default: false
        }
    }

    private func sniff(_ first: UInt8) throws(OllamaFailure) -> Mode {
        // Gzip's first byte.
        if first == 0x1F { throw FailureMapping.compressed }
        if contentType.contains("event-stream") { return .events }
        switch first {
        case UInt8(ascii: "{"): return .document
        case UInt8(ascii: "d"), UInt8(ascii: "e"), UInt8(ascii: "i"), UInt8(ascii: "r"), UInt8(ascii: ":"):
            return contentType.isEmpty || contentType.contains("json") || contentType.contains("text/") ? .events : .untouched
        default: return .untouched
        }
    }

    private mutating func pushLines(_ bytes: Span<UInt8>, from start: Int, into output: inout [UInt8]) throws(OllamaFailure) {
        var position = start
        while true {
            let line: ServerSentEventLines.Line?
            do {
                line = try lines.next(in: bytes, at: &position)
            } catch {
                throw FailureMapping.lineTooLong
            }
            switch line {
            case nil: return
            case .inPlace(let range)?: try append(line: bytes.extracting(range), isLast: false, to: &output)
            case .carried?:
                let carried = lines.carried
                try append(line: carried.span, isLast: false, to: &output)
            }
        }
    }
}

extension OpenAIStreamRewriter {
    /// - Parameter isLast: The body ended within the line.
    private mutating func append(line: Span<UInt8>, isLast: Bool, to output: inout [UInt8]) throws(OllamaFailure) {
        var end: [UInt8] = isLast ? [] : [0x0A]
        switch ServerSentEventField(line) {
        case .data(let start) where start < line.count:
            let data = line.extracting(start..<line.count)
            // A gateway's wrapping around a comment: no client of this API reads it.
            if Self.isComment(data) { return }
            if try hold(data, isLast: isLast) { return }
            if data.starts(with: "[DONE]") { sawDone = true }
            output.append(copying: line.extracting(0..<start))
            append(data, to: &output)
        case .endOfEvent:
            if let whole = held.take() { append(event: whole, to: &output) }
            isErrorEvent = false
        case .event(let start):
            isErrorEvent = [UInt8](copying: line.extracting(start..<line.count)).elementsEqual("error".utf8)
            output.append(copying: line)
        case .foreign where line[0] == UInt8(ascii: "{"):
            // Some gateways put a bare object into the stream when something went wrong.
            if let failure = reported(line) {
                output += OpenAIFailure(failure).event
                end = []
            } else {
                output.append(copying: line)
            }
        default: output.append(copying: line)
        }
        output += end
    }

    private static func isComment(_ data: Span<UInt8>) -> Bool {
        var start = 0
        while start < data.count, data[start] == 0x20 { start += 1 }
        return start < data.count && data[start] == UInt8(ascii: ":")
    }

    /// Keeps a data line that belongs to JSON of several lines.
    ///
    /// - Returns: Whether it is one.
    private mutating func hold(_ data: Span<UInt8>, isLast: Bool) throws(OllamaFailure) -> Bool {
        if held != nil {
            guard data.count < ServerSentEventLines.longestLine - (held?.count ?? 0) else { throw FailureMapping.lineTooLong }
            held?.append(0x0A)
            held?.append(copying: data)
            return true
        }
        guard data.starts(with: "{"), OpenAIReplyEdits(data, mirrorsReasoning: false) == nil else { return false }
        let bytes = [UInt8](copying: data)
        guard !Self.isWhole(bytes) else { return false }
        held = bytes
        return true
    }

    /// Whether nothing that follows could complete the bytes: they are JSON, or broken.
    private static func isWhole(_ bytes: [UInt8]) -> Bool {
        do {
            _ = try JSONParser.parse(bytes, rule: .repair)
            return true
        } catch {
            return error != .unexpectedEnd
        }
    }

    /// Appends an event whose JSON came in several lines.
    private mutating func append(event json: [UInt8], to output: inout [UInt8]) {
        var edited: [UInt8] = []
        append(json.span, to: &edited)
        for line in edited.split(separator: 0x0A, omittingEmptySubsequences: false) {
            output += Array("data: ".utf8) + line + [0x0A]
        }
    }

    private mutating func append(_ json: Span<UInt8>, to output: inout [UInt8]) {
        let edits = OpenAIReplyEdits(json, mirrorsReasoning: mirrorsReasoning)
        if isErrorEvent || (edits?.mayReportError ?? true), let failure = reported(json) {
            output += OpenAIFailure(failure).body
            return
        }
        guard let edits else {
            // What is not understood is not judged either.
            if json.starts(with: "{") { sawEnd = true }
            return output.append(copying: json)
        }
        sawChoice = sawChoice || edits.hasChoice
        sawEnd = sawEnd || edits.isEnd
        edits.apply(to: json, name: name, output: &output)
    }

    /// The error that a chunk or a body reports, in words fit for a client; nil if it reports none.
    private mutating func reported(_ bytes: Span<UInt8>) -> OllamaFailure? {
        let bytes = [UInt8](copying: bytes)
        let value = try? JSONParser.parse(bytes, rule: .repair)
        let choice = value?.object?["choices"]?.array?.first?.object
        var error =
            (value?.object).flatMap(UpstreamFailure.error) ?? (choice?["error"] == nil ? nil : choice.flatMap(UpstreamFailure.error))
        if error == nil, isErrorEvent { error = value ?? .text(String(decoding: bytes, as: UTF8.self)) }
        guard let error else { return nil }
        let failure = FailureMapping.reported(error, context: failures)
        self.failure = failure
        sawEnd = true
        return failure
    }
}
