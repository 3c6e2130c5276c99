/// The fields of an answer as bytes, the same for lines and for the one object.
struct AnswerFields: Sendable {
    let shape: AnswerShape
    /// `{"model":"…","created_at":"…"`, the time patched in place.
    private(set) var head: [UInt8]
    private var timestamp = Timestamp()
    private let timeAt: Int

    init(shape: AnswerShape, model: String) {
        self.shape = shape
        head = []
        head.reserveCapacity(64 + model.utf8.count)
        head.append(text: #"{"model":"#)
        JSONWriter.append(quoting: model, to: &head)
        head.append(text: #","created_at":""#)
        timeAt = head.count
        head.append(text: Timestamp.epoch)
        head.append(UInt8(ascii: "\""))
    }

    /// Sets `created_at`.
    mutating func set(_ moment: AnswerMoment) {
        timestamp.write(moment, into: &head, at: timeAt)
    }

    /// Appends `,"done":true,"done_reason":…` and the figures.
    static func append(_ summary: AnswerSummary, context: [Int]?, to output: inout [UInt8]) {
        output.append(text: #","done":true,"done_reason":"#)
        JSONWriter.append(quoting: summary.doneReason ?? "stop", to: &output)
        if let context {
            output.append(text: #","context":"#)
            JSONWriter.append(.array(context.map(JSONValue.integer)), to: &output)
        }
        append(#","total_duration":"#, summary.totalDuration, to: &output)
        append(#","load_duration":"#, summary.loadDuration, to: &output)
        append(#","prompt_eval_count":"#, Int64(summary.promptTokens), to: &output)
        append(#","prompt_eval_duration":"#, summary.promptDuration, to: &output)
        append(#","eval_count":"#, Int64(summary.answerTokens), to: &output)
        append(#","eval_duration":"#, summary.answerDuration, to: &output)
    }

    private static func append(_ key: StaticString, _ value: Int64, to output: inout [UInt8]) {
        output.append(text: key)
        output.append(decimal: value)
    }

    /// Appends `,"logprobs":[…]` unless there are none.
    static func append(logprobs: [JSONValue], to output: inout [UInt8]) {
        guard !logprobs.isEmpty else { return }
        output.append(text: #","logprobs":"#)
        JSONWriter.append(.array(logprobs), to: &output)
    }

    /// Appends `,"logprobs":[…]` unless there are none.
    ///
    /// - Parameter elements: JSON, each with a comma before it.
    static func append(logprobs elements: [UInt8], to output: inout [UInt8]) {
        guard !elements.isEmpty else { return }
        output.append(text: #","logprobs":["#)
        output += elements.dropFirst()
        output.append(UInt8(ascii: "]"))
    }
}
