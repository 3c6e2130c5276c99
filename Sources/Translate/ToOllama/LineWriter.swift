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
    private let beforeContent: StaticString
    private let afterContent: StaticString
    private let beforeThinking: StaticString
    private let afterThinking: StaticString

    init(_ settings: AnswerSettings) {
        moment = settings.requestReceived
        fields = AnswerFields(shape: settings.shape, model: settings.model)
        fields.set(moment)
        context = settings.shape == .generate ? settings.context : nil
        switch settings.shape {
        case .chat:
            beforeContent = #","message":{"role":"assistant","content":""#
            afterContent = #""},"done":false"#
            beforeThinking = #","message":{"role":"assistant","content":"","thinking":""#
            afterThinking = #""},"done":false"#
        case .generate:
            beforeContent = #","response":""#
            afterContent = #"","done":false"#
            beforeThinking = #","response":"","thinking":""#
            afterThinking = #"","done":false"#
        }
    }

    mutating func text(_ kind: TextKind, _ text: ArraySlice<UInt8>, logprobs: [JSONValue]) {
        batch.bytes.append(contentsOf: fields.head)
        batch.bytes.append(text: kind == .content ? beforeContent : beforeThinking)
        JSONWriter.append(escaping: text, to: &batch.bytes)
        batch.bytes.append(text: kind == .content ? afterContent : afterThinking)
        AnswerFields.append(logprobs: logprobs, to: &batch.bytes)
        endLine()
    }

    mutating func escapedText(_ kind: TextKind, _ text: Span<UInt8>) {
        batch.bytes.append(contentsOf: fields.head)
        batch.bytes.append(text: kind == .content ? beforeContent : beforeThinking)
        batch.bytes.append(copying: text)
        batch.bytes.append(text: kind == .content ? afterContent : afterThinking)
        endLine()
    }

    mutating func toolCall(_ call: AnswerToolCall, index: Int) {
        batch.bytes.append(contentsOf: fields.head)
        let calls: JSONValue = [call.json(index: index)]
        switch fields.shape {
        case .chat:
            batch.bytes.append(text: #","message":{"role":"assistant","content":"","tool_calls":"#)
            JSONWriter.append(calls, to: &batch.bytes)
            batch.bytes.append(text: #"},"done":false"#)
        case .generate:
            batch.bytes.append(text: #","response":"","done":false,"tool_calls":"#)
            JSONWriter.append(calls, to: &batch.bytes)
        }
        endLine()
    }

    /// Lines that are out cannot be taken back.
    mutating func contentWasThinking(kept: Bool) {}

    mutating func finish(_ summary: AnswerSummary) {
        batch.bytes.append(contentsOf: fields.head)
        switch fields.shape {
        case .chat: batch.bytes.append(text: #","message":{"role":"assistant","content":""}"#)
        case .generate: batch.bytes.append(text: #","response":"""#)
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
