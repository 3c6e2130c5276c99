/// Reads an upstream's answer, whatever its form, and hands its parts to a sink.
///
/// Bytes → lines → events → chunks → parts. What is in a chunk is read in `AnswerReader+chunk.swift`, whole documents and the end in
/// `AnswerReader+end.swift`.
struct AnswerReader<Sink: AnswerSink>: Sendable {
    /// The largest JSON body that is read; an answer with inline pictures or long logprobs stays below.
    static var largestBody: Int { 64 << 20 }
    /// Tokens whose text is never said are forgotten from here on.
    static var mostPendingLogprobs: Int { 10_000 }

    enum Mode {
        /// Nothing but white space or a byte-order mark so far.
        case sniffing
        case events
        /// A whole JSON document, read at its end.
        case document
        /// The final line is out, or a failure has been thrown.
        case ended
    }

    let settings: AnswerSettings
    var sink: Sink
    var mode = Mode.sniffing
    var meter: AnswerMeter
    var summary = AnswerSummary()
    var splitter: ThinkTagSplitter?
    var toolCalls = ToolCallAssembler()
    var echo: EchoCollector?
    var halves = SurrogateJoiner()
    var frame = ChunkFrame()
    var pendingLogprobs: [JSONValue] = []
    /// Whether any chunk came that told something: text, reasoning, a tool call.
    var producedAnything = false
    /// Whether any event came at all.
    var sawChunk = false
    var isComplete = false

    /// Lets tests compare both paths.
    var isGeneralOnly = false
    var contentType = ""
    var lines = ServerSentEventLines()
    /// The data lines of an event that is not complete after its first.
    var held: [UInt8] = []
    var holds = false
    var eventName = ""
    var document: [UInt8] = []

    init(_ settings: AnswerSettings, sink: Sink) {
        self.settings = settings
        self.sink = sink
        meter = AnswerMeter(requestReceived: settings.requestReceived)
        echo = EchoCollector(settings.keeps)
        splitter =
            switch settings.thinkTags {
            case .none: nil
            case .split: ThinkTagSplitter(opened: false)
            case .splitOpened: ThinkTagSplitter(opened: true)
            }
    }

    var progress: AnswerProgress {
        if isComplete { return .complete }
        return mode == .events && summary.finishReason != nil ? .awaitsOnlyTheEnd : .underWay
    }

    mutating func begin(contentType: String?) {
        self.contentType = contentType ?? ""
    }

    mutating func push(_ bytes: Span<UInt8>, at moment: AnswerMoment) throws(OllamaFailure) {
        guard mode != .ended else { return }
        sink.moment = moment
        do {
            try take(bytes)
        } catch {
            mode = .ended
            throw error
        }
    }

    mutating func finish(at moment: AnswerMoment) throws(OllamaFailure) {
        guard mode != .ended else { return }
        sink.moment = moment
        do {
            try takeEnd()
        } catch {
            mode = .ended
            throw error
        }
    }

    private mutating func take(_ bytes: Span<UInt8>) throws(OllamaFailure) {
        var position = 0
        if mode == .sniffing {
            while position < bytes.count, Self.isBlankOrMark(bytes[position]) { position += 1 }
            guard position < bytes.count else { return }
            mode = try sniff(bytes[position])
        }
        if mode == .events { try takeLines(bytes, from: position) } else { try appendToDocument(bytes, from: position) }
    }

    /// White space, or a byte of U+FEFF: neither can begin an event or a JSON value.
    private static func isBlankOrMark(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF: true
        default: false
        }
    }

    /// What the body is, by its first byte; the declared type only where that leaves a doubt.
    private func sniff(_ first: UInt8) throws(OllamaFailure) -> Mode {
        switch first {
        case UInt8(ascii: "<"): throw FailureMapping.webPage
        // Gzip's first byte.
        case 0x1F: throw FailureMapping.compressed
        case UInt8(ascii: "{"), UInt8(ascii: "["): return declares("event-stream") ? .events : .document
        case UInt8(ascii: "d"), UInt8(ascii: "e"), UInt8(ascii: "i"), UInt8(ascii: "r"), UInt8(ascii: ":"): return .events
        default: return declares("json") ? .document : .events
        }
    }

    /// Whether the declared type holds a word, in any case. The standard library's search through a String takes microseconds, which an answer
    /// that is one object pays for every request.
    private func declares(_ word: StaticString) -> Bool {
        let declared = contentType.utf8.span
        let length = word.utf8CodeUnitCount
        var start = 0
        while start + length <= declared.count {
            if declared.extracting(start..<start + length).equals(lowercase: word) { return true }
            start += 1
        }
        return false
    }

    private mutating func takeLines(_ bytes: Span<UInt8>, from start: Int) throws(OllamaFailure) {
        var position = start
        while mode == .events {
            let line: ServerSentEventLines.Line?
            do {
                line = try lines.next(in: bytes, at: &position)
            } catch {
                throw FailureMapping.lineTooLong
            }
            switch line {
            case nil: return
            case .inPlace(let range)?: try take(line: bytes.extracting(range))
            case .carried?:
                let carried = lines.carried
                try take(line: carried.span)
            }
        }
        if mode == .document, position < bytes.count { try appendToDocument(bytes, from: position) }
    }

    private mutating func take(line: Span<UInt8>) throws(OllamaFailure) {
        switch ServerSentEventField(line) {
        case .data(let start): try take(data: line.extracting(start..<line.count))
        case .endOfEvent:
            if holds { try takeHeld() }
            eventName = ""
        case .event(let start): eventName = String(decoding: Array(copying: line.extracting(start..<line.count)), as: UTF8.self)
        case .ignored: break
        case .foreign: try take(foreign: line)
        }
    }

    /// Takes one data line.
    ///
    /// A line that is a whole JSON value is used at once: nothing that follows could belong to it, and some gateways leave out the empty lines.
    private mutating func take(data: Span<UInt8>) throws(OllamaFailure) {
        if holds {
            guard data.count < ServerSentEventLines.longestLine - held.count else { throw FailureMapping.lineTooLong }
            held.append(0x0A)
            held.append(copying: data)
            return
        }
        if takeUsualChunk(data) { return }
        var start = 0
        while start < data.count, data[start] <= 0x20 { start += 1 }
        guard start < data.count, data[start] != UInt8(ascii: ":") else { return }
        let bytes = Array(copying: data.extracting(start..<data.count))
        if bytes.starts(with: "[DONE]".utf8) { return try complete(afterDone: true) }
        // Halves of characters wait by the place in the tree at which they came.
        if halves.isEmpty, !SurrogateJoiner.mayConcern(bytes), takePlain(bytes) { return }
        let found = parse(bytes)
        guard found.error != .unexpectedEnd else {
            held = bytes
            holds = true
            return
        }
        try take(found, of: bytes)
    }

    private mutating func takeHeld() throws(OllamaFailure) {
        let bytes = held
        held = []
        holds = false
        try take(parse(bytes), of: bytes)
    }

    /// What bytes hold as JSON.
    struct Parsed {
        /// Usually one. Some gateways put several behind each other or into an array, and Gemini wraps its errors into one.
        var chunks: [JSONValue]
        /// What is wrong behind them.
        var error: JSONError?

        init(_ found: (values: [JSONValue], error: JSONError?)) {
            chunks = found.values.flatMap { $0.array ?? [$0] }
            error = found.error
        }
    }

    /// Reads chunks, with the characters whole that were cut in two between them.
    mutating func parse(_ bytes: [UInt8]) -> Parsed {
        let mayHoldHalves = !halves.isEmpty || SurrogateJoiner.mayConcern(bytes)
        var parsed = Parsed(JSONParser.parseAll(bytes, keepsHalves: mayHoldHalves))
        if mayHoldHalves { parsed.chunks = parsed.chunks.map { halves.joined($0) } }
        return parsed
    }

    private mutating func take(_ parsed: Parsed, of bytes: [UInt8]) throws(OllamaFailure) {
        for chunk in parsed.chunks { try take(chunk: chunk) }
        // Behind an answer that has said why it ended nothing is lost.
        if parsed.error != nil, parsed.chunks.isEmpty || summary.finishReason == nil { try take(unreadable: bytes) }
    }

    /// Data that is no JSON: text would be lost by skipping it.
    private mutating func take(unreadable bytes: [UInt8]) throws(OllamaFailure) {
        if eventName == "ping" || eventName == "heartbeat" { return }
        guard eventName == "error" else { throw FailureMapping.unreadable }
        throw FailureMapping.reported(.text(String(decoding: bytes, as: UTF8.self)), context: settings.failures)
    }

    mutating func take(chunk: JSONValue) throws(OllamaFailure) {
        if eventName == "error" {
            throw FailureMapping.reported(chunk.object?["error"] ?? chunk, context: settings.failures)
        }
        try take(chunk)
    }

    /// A line that is no field: some gateways put a bare JSON object into the stream.
    private mutating func take(foreign line: Span<UInt8>) throws(OllamaFailure) {
        guard line[0] == UInt8(ascii: "{") || line[0] == UInt8(ascii: "[") else { return }
        let bytes = Array(copying: line)
        let found = parse(bytes)
        guard found.error != .unexpectedEnd else {
            document = bytes + [0x0A]
            mode = .document
            return
        }
        for chunk in found.chunks { try take(chunk: chunk) }
    }
}
