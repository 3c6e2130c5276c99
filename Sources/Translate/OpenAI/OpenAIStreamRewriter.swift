/// Passes an upstream's `/v1` answer through, with the model's name as the client asked for it.
///
/// Server-sent events go on line by line as they come, line ends as LF; a JSON object goes on at its end; anything else goes on as it is.
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
    private var sawChoice = false
    private var sawEnd = false
    /// Whether the answer is a stream of events; known after its first byte.
    public var isEventStream: Bool { mode == .events }

    private let name: [UInt8]
    private let mirrorsReasoning: Bool
    private var contentType = ""
    private var mode = Mode.sniffing
    private var lines = ServerSentEventLines()
    private var document: [UInt8] = []

    /// - Parameters:
    ///   - model: The name the client asked for.
    ///   - mirrorsReasoning: Whether `reasoning_content` and `reasoning` are each sent under the other's name too.
    public init(model: String, mirrorsReasoning: Bool = true) {
        var name: [UInt8] = []
        JSONWriter.append(quoting: model, to: &name)
        self.name = name
        self.mirrorsReasoning = mirrorsReasoning
    }

    /// Notes what the upstream says its body is. The body's first byte counts for more.
    public mutating func begin(contentType: String?) {
        self.contentType = contentType?.lowercased() ?? ""
    }

    /// Takes the next bytes and appends what can go on.
    ///
    /// - Throws: If one line or a JSON body is larger than is taken.
    public mutating func push(_ bytes: Span<UInt8>, into output: inout [UInt8]) throws(OllamaFailure) {
        var start = 0
        if mode == .sniffing {
            while start < bytes.count, Self.isBlankOrMark(bytes[start]) { start += 1 }
            guard start < bytes.count else { return }
            mode = sniff(bytes[start])
        }
        switch mode {
        case .sniffing: break
        case .events: try pushLines(bytes, from: start, into: &output)
        case .document:
            guard bytes.count - start <= Self.largestBody - document.count else {
                throw FailureMapping.failure(.tooLarge, context: FailureContext(model: ""))
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
            if !rest.isEmpty, Self.isWhole(rest.span) { append(line: rest.span, to: &output) }
            guard sawDone || sawEnd || !sawChoice else {
                if let last = output.last, last != 0x0A { output += [0x0A, 0x0A] }
                throw FailureMapping.cutOff
            }
        case .document:
            let whole = document
            document = []
            append(whole.span, to: &output)
        }
    }

    private static func isWhole(_ line: Span<UInt8>) -> Bool {
        guard case .data(let start) = ServerSentEventField(line), start < line.count, line[start] == UInt8(ascii: "{") else { return true }
        return OpenAIReplyEdits(line.extracting(start..<line.count), mirrorsReasoning: false) != nil
    }

    private static func isBlankOrMark(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF: true
        default: false
        }
    }

    private func sniff(_ first: UInt8) -> Mode {
        if contentType.contains("event-stream") { return .events }
        switch first {
        case UInt8(ascii: "{"): return .document
        case UInt8(ascii: "d"), UInt8(ascii: "e"), UInt8(ascii: ":"):
            return contentType.isEmpty || contentType.contains("json") ? .events : .untouched
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
            case .inPlace(let range)?: append(line: bytes.extracting(range), to: &output)
            case .carried?:
                let carried = lines.carried
                append(line: carried.span, to: &output)
            }
            output.append(0x0A)
        }
    }

    private mutating func append(line: Span<UInt8>, to output: inout [UInt8]) {
        guard case .data(let start) = ServerSentEventField(line), start < line.count else { return output.append(copying: line) }
        let data = line.extracting(start..<line.count)
        if data.starts(with: "[DONE]") { sawDone = true }
        output.append(copying: line.extracting(0..<start))
        append(data, to: &output)
    }

    private mutating func append(_ json: Span<UInt8>, to output: inout [UInt8]) {
        guard let edits = OpenAIReplyEdits(json, mirrorsReasoning: mirrorsReasoning) else {
            // An object over several lines, perhaps: what is not understood is not judged either.
            if json.count > 0, json[0] == UInt8(ascii: "{") { sawEnd = true }
            return output.append(copying: json)
        }
        sawChoice = sawChoice || edits.hasChoice
        sawEnd = sawEnd || edits.isEnd
        edits.apply(to: json, name: name, output: &output)
    }
}
