extension AnswerReader {
    /// Takes an answer or a chunk without building a tree for it, which for a small answer costs more than all the rest.
    ///
    /// - Returns: false for what is not plain, nothing taken.
    mutating func takePlain(_ bytes: [UInt8]) -> Bool {
        guard !isGeneralOnly, eventName != "error", let reply = PlainReply(bytes.span, skipsLogprobs: !settings.logprobs) else {
            return false
        }
        if let id = reply.id { summary.upstreamID = String(decoding: bytes[id.range], as: UTF8.self) }
        meter.usage.take(reply.usage)
        sawChunk = true
        if let reasoning = reply.reasoning { take(.thinking, reasoning.value(of: bytes[...]).map(JSONValue.string)) }
        if let content = reply.content { take(.content, content.value(of: bytes[...]).map(JSONValue.string)) }
        if let reason = reply.finishReason { summary.finishReason = String(decoding: bytes[reason.range], as: UTF8.self) }
        return true
    }
}
