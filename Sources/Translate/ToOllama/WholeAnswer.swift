/// Gathers the parts of an answer into the one object of `stream: false`.
struct WholeAnswer: AnswerSink {
    var moment: AnswerMoment
    /// The response's body, once the answer is complete.
    private(set) var body: [UInt8] = []

    private var fields: AnswerFields
    private let context: [Int]?
    /// Both are the inside of a JSON string, escapes and all.
    private var content: [UInt8] = []
    private var thinking: [UInt8] = []
    private var toolCalls: [JSONValue] = []
    /// As JSON, each with a comma before it: as a tree they would take twenty times as much.
    private var logprobs: [UInt8] = []

    /// Bytes so far.
    var size: Int { content.count + thinking.count + logprobs.count }

    init(_ settings: AnswerSettings) {
        moment = settings.requestReceived
        fields = AnswerFields(shape: settings.shape, model: settings.model)
        context = settings.shape == .generate ? settings.context : nil
    }

    mutating func text(_ kind: TextKind, _ text: ArraySlice<UInt8>, logprobs: [JSONValue]) {
        for entry in logprobs {
            self.logprobs.append(UInt8(ascii: ","))
            JSONWriter.append(entry, to: &self.logprobs)
        }
        switch kind {
        case .content: JSONWriter.append(escaping: text, to: &content)
        case .thinking: JSONWriter.append(escaping: text, to: &thinking)
        }
    }

    mutating func escapedText(_ kind: TextKind, _ text: Span<UInt8>) {
        switch kind {
        case .content: content.append(copying: text)
        case .thinking: thinking.append(copying: text)
        }
    }

    mutating func toolCall(_ call: AnswerToolCall, index: Int) {
        toolCalls.append(call.json(index: index))
    }

    mutating func contentWasThinking(kept: Bool) {
        if kept { thinking += content }
        content = []
    }

    mutating func finish(_ summary: AnswerSummary) {
        fields.set(moment)
        // The figures take some 200 bytes.
        body.reserveCapacity(fields.head.count + size + 320)
        body += fields.head
        switch fields.shape {
        case .chat:
            append(#","message":{"role":"assistant","content":"#, content)
            if !thinking.isEmpty { append(#","thinking":"#, thinking) }
            appendToolCalls()
            body.append(UInt8(ascii: "}"))
        case .generate:
            append(#","response":"#, content)
            if !thinking.isEmpty { append(#","thinking":"#, thinking) }
        }
        AnswerFields.append(summary, context: context, to: &body)
        if fields.shape == .generate { appendToolCalls() }
        AnswerFields.append(logprobs: logprobs, to: &body)
        body.append(UInt8(ascii: "}"))
    }

    private mutating func append(_ key: StaticString, _ escaped: [UInt8]) {
        body.append(text: key)
        body.append(UInt8(ascii: "\""))
        body += escaped
        body.append(UInt8(ascii: "\""))
    }

    private mutating func appendToolCalls() {
        guard !toolCalls.isEmpty else { return }
        body.append(text: #","tool_calls":"#)
        JSONWriter.append(.array(toolCalls), to: &body)
    }
}
