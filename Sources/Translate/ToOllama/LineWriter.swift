/// Writes the parts of an answer as NDJSON lines: one part, one line.
struct LineWriter: AnswerSink {
    /// The lines of the current call.
    var batch = LineBatch()
    /// Whether a line has been written.
    private(set) var hasBegun = false
    var moment: AnswerMoment {
        didSet { if moment != oldValue { fields.set(moment) } }
    }

    private var fields: AnswerFields
    private let context: [Int]?
    private let beforeContent: [UInt8]
    private let afterContent: [UInt8]
    private let beforeThinking: [UInt8]
    private let afterThinking: [UInt8]

    init(_ settings: AnswerSettings) {
        moment = settings.requestReceived
        fields = AnswerFields(shape: settings.shape, model: settings.model)
        fields.set(moment)
        context = settings.shape == .generate ? settings.context : nil
        switch settings.shape {
        case .chat:
            beforeContent = Array(#","message":{"role":"assistant","content":""#.utf8)
            afterContent = Array(#""},"done":false"#.utf8)
            beforeThinking = Array(#","message":{"role":"assistant","content":"","thinking":""#.utf8)
            afterThinking = Array(#""},"done":false"#.utf8)
        case .generate:
            beforeContent = Array(#","response":""#.utf8)
            afterContent = Array(#"","done":false"#.utf8)
            beforeThinking = Array(#","response":"","thinking":""#.utf8)
            afterThinking = Array(#"","done":false"#.utf8)
        }
    }

    mutating func text(_ kind: TextKind, _ text: ArraySlice<UInt8>, logprobs: [JSONValue]) {
        batch.bytes.append(contentsOf: fields.head)
        batch.bytes.append(contentsOf: kind == .content ? beforeContent : beforeThinking)
        JSONWriter.append(escaping: text, to: &batch.bytes)
        batch.bytes.append(contentsOf: kind == .content ? afterContent : afterThinking)
        AnswerFields.append(logprobs: logprobs, to: &batch.bytes)
        endLine()
    }

    mutating func escapedText(_ kind: TextKind, _ text: Span<UInt8>) {
        batch.bytes.append(contentsOf: fields.head)
        batch.bytes.append(contentsOf: kind == .content ? beforeContent : beforeThinking)
        batch.bytes.append(copying: text)
        batch.bytes.append(contentsOf: kind == .content ? afterContent : afterThinking)
        endLine()
    }

    mutating func toolCall(_ call: AnswerToolCall, index: Int) {
        batch.bytes.append(contentsOf: fields.head)
        let calls: JSONValue = [call.json(index: index)]
        switch fields.shape {
        case .chat:
            batch.bytes += Array(#","message":{"role":"assistant","content":"","tool_calls":"#.utf8)
            JSONWriter.append(calls, to: &batch.bytes)
            batch.bytes += Array(#"},"done":false"#.utf8)
        case .generate:
            batch.bytes += Array(#","response":"","done":false,"tool_calls":"#.utf8)
            JSONWriter.append(calls, to: &batch.bytes)
        }
        endLine()
    }

    /// Lines that are out cannot be taken back.
    mutating func contentWasThinking(kept: Bool) {}

    mutating func finish(_ summary: AnswerSummary) {
        batch.bytes.append(contentsOf: fields.head)
        switch fields.shape {
        case .chat: batch.bytes += Array(#","message":{"role":"assistant","content":""}"#.utf8)
        case .generate: batch.bytes += Array(#","response":"""#.utf8)
        }
        AnswerFields.append(summary, context: context, to: &batch.bytes)
        endLine()
    }

    private mutating func endLine() {
        batch.bytes.append(UInt8(ascii: "}"))
        batch.endLine()
        hasBegun = true
    }
}
