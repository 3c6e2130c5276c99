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
        if let reasoning = reply.reasoning { take(.thinking, Self.value(reasoning, of: bytes)) }
        if let content = reply.content { take(.content, Self.value(content, of: bytes)) }
        if let reason = reply.finishReason { summary.finishReason = String(decoding: bytes[reason.range], as: UTF8.self) }
        return true
    }

    private static func value(_ text: JSONCursor.Text, of bytes: [UInt8]) -> JSONValue? {
        if text.isASCII, !text.hasEscapes { return .string(JSONText(utf8: bytes[text.range])) }
        let quoted = Array(bytes[text.range.lowerBound - 1...text.range.upperBound])
        return try? JSONParser.parse(quoted, rule: .repair)
    }
}
