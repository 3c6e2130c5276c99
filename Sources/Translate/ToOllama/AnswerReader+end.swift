extension AnswerReader {
    mutating func appendToDocument(_ bytes: Span<UInt8>, from start: Int) throws(OllamaFailure) {
        guard bytes.count - start <= Self.largestBody - document.count else {
            throw FailureMapping.failure(.tooLarge, context: settings.failures)
        }
        document.append(copying: bytes.extracting(start..<bytes.count))
    }

    mutating func takeEnd() throws(OllamaFailure) {
        switch mode {
        case .sniffing, .ended: break
        case .document: try takeDocument()
        case .events: try takeRest()
        }
        if mode != .ended { try complete(afterDone: false) }
    }

    private mutating func takeDocument() throws(OllamaFailure) {
        let bytes = document
        document = []
        if takePlain(bytes) { return try complete(afterDone: true) }
        let parsed = Parsed(JSONParser.parseAll(bytes, limits: JSONLimits(tokens: 3_000_000)))
        for chunk in parsed.chunks { try take(chunk) }
        // Behind an answer that has said why it ended nothing is lost.
        if let error = parsed.error, summary.finishReason == nil {
            throw error == .unexpectedEnd ? FailureMapping.cutOff : FailureMapping.unreadable
        }
        // Several are the chunks of a stream without its frame, whose end has to be said.
        if mode != .ended { try complete(afterDone: sawChunk && parsed.chunks.count == 1) }
    }

    /// What the connection's end left incomplete: used if it can be read, otherwise it proves nothing.
    private mutating func takeRest() throws(OllamaFailure) {
        let rest = lines.takeRest()
        if !rest.isEmpty, case .data(let start) = ServerSentEventField(rest.span) {
            if holds {
                held += [0x0A] + rest[start...]
            } else if rest[start...].drop(while: { $0 <= 0x20 }).starts(with: "[DONE]".utf8) {
                return try complete(afterDone: true)
            } else {
                held = Array(rest[start...])
            }
            holds = true
        } else if !holds, rest.first == UInt8(ascii: "{") || rest.first == UInt8(ascii: "[") {
            held = rest
            holds = true
        }
        guard holds else { return }
        holds = false
        for chunk in parse(held).chunks { try take(chunk: chunk) }
    }

    /// Writes the end of the answer, if it is one.
    ///
    /// - Parameter afterDone: The upstream said that it is done, by `[DONE]` or by a whole document.
    mutating func complete(afterDone: Bool) throws(OllamaFailure) {
        takeLoneHalves()
        if summary.finishReason == nil, !afterDone {
            throw sawChunk || producedAnything ? FailureMapping.cutOff : FailureMapping.empty
        }
        if var splitter {
            var pieces: [ThinkTagSplitter.Piece] = []
            splitter.finish(into: &pieces)
            emit(pieces)
        }
        let doneReason = Self.doneReason(summary.finishReason)
        do {
            let calls = try toolCalls.finish(
                cutByLength: doneReason == "length", seed: settings.toolCallSeed, originalNames: settings.originalToolNames)
            for (index, call) in calls.enumerated() { sink.toolCall(call, index: index) }
            summary.toolCalls = calls.count
            summary.echo = echo?.finish(calls)
        } catch {
            throw FailureMapping.brokenToolCall
        }
        if !producedAnything {
            if summary.finishReason == "content_filter" { throw FailureMapping.blocked }
            if summary.finishReason == nil { throw FailureMapping.empty }
        }
        summary.doneReason = doneReason
        meter.measure(&summary, at: sink.moment, promptBytes: settings.promptBytes)
        sink.finish(summary)
        isComplete = true
        mode = .ended
    }

    /// Half a character whose other half never came.
    private mutating func takeLoneHalves() {
        guard !halves.isEmpty else { return }
        let rest = halves.takeRest()
        if rest.thinking { take(.thinking, "\u{FFFD}") }
        if rest.content { take(.content, "\u{FFFD}") }
    }

    /// Ollama knows two reasons; a call of tools is `stop` to it.
    private static func doneReason(_ finishReason: String?) -> String {
        switch finishReason {
        case "length", "max_tokens", "model_length", "MAX_TOKENS": "length"
        default: "stop"
        }
    }
}
