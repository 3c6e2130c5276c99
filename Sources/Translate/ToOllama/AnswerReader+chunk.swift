extension AnswerReader {
    /// Takes one chunk, or a whole completion: both have the same parts, one in `delta`, the other in `message`.
    mutating func take(_ chunk: JSONValue) throws(OllamaFailure) {
        if chunk == .null { return }
        guard let chunk = chunk.object else { throw FailureMapping.unreadable }
        if let error = UpstreamFailure.error(in: chunk) {
            throw FailureMapping.reported(error, context: settings.failures)
        }
        if let id = chunk["id"]?.string, !id.isEmpty { summary.upstreamID = id }
        if let usage = chunk["usage"]?.object ?? chunk["x_groq"]?.object?["usage"]?.object { meter.usage.take(usage: usage) }
        if let timings = chunk["timings"]?.object { meter.usage.take(timings: timings) }
        guard let choices = chunk["choices"]?.array else { return }
        sawChunk = true
        for choice in choices {
            guard let choice = choice.object, (choice["index"]?.number?.integer ?? 0) == 0 else { continue }
            return try take(choice: choice)
        }
    }

    private mutating func take(choice: JSONObject) throws(OllamaFailure) {
        if let error = UpstreamFailure.error(in: choice) {
            throw FailureMapping.reported(error, context: settings.failures)
        }
        // Some upstreams repeat the whole message beside each delta; the delta counts.
        let delta = choice["delta"]?.object ?? choice["message"]?.object ?? JSONObject()
        let logprobs = settings.logprobs ? Logprobs.entries(choice["logprobs"], top: settings.topLogprobs) : []
        take(delta: delta, logprobs: logprobs)
        // The older completions API has the text in the choice itself.
        if let text = choice["text"], delta.members.isEmpty { take(.content, text) }
        try takeToolCalls(delta, areWhole: mode == .document && choice["delta"] == nil)
        if let reason = choice["finish_reason"]?.string, !reason.isEmpty {
            summary.finishReason = reason
            if reason == "error" { throw FailureMapping.reported(.null, context: settings.failures) }
        }
    }

    /// - Parameter logprobs: They belong to the content if there is any beside reasoning.
    private mutating func take(delta: JSONObject, logprobs: [JSONValue]) {
        let isForContent = !(delta["content"]?.string?.isEmpty ?? true)
        if !isForContent, pendingLogprobs.count < Self.mostPendingLogprobs { pendingLogprobs += logprobs }
        let reasoning = delta["reasoning_content"]
        let other = delta["reasoning"]
        var hasReasoning = take(.thinking, reasoning)
        if other != reasoning { hasReasoning = take(.thinking, other) || hasReasoning }
        echo?.take(details: delta["reasoning_details"])
        if !hasReasoning { takeDetails(delta["reasoning_details"]) }
        if isForContent { pendingLogprobs += logprobs }
        if let parts = delta["content"]?.array { takeParts(parts) } else { take(.content, delta["content"]) }
        take(.content, delta["refusal"])
    }

    /// OpenRouter's structured reasoning; what is encrypted is for the provider, not for a reader.
    private mutating func takeDetails(_ details: JSONValue?) {
        for detail in details?.array ?? [] {
            take(.thinking, detail.object?["text"])
            take(.thinking, detail.object?["summary"])
        }
    }

    /// Mistral's content as a list of parts.
    private mutating func takeParts(_ parts: [JSONValue]) {
        for part in parts {
            guard let object = part.object else {
                take(.content, part)
                continue
            }
            switch object["type"]?.string {
            case "thinking", "reasoning":
                let thinking = object["thinking"] ?? object["text"]
                if let pieces = thinking?.array {
                    for piece in pieces { take(.thinking, piece.object?["text"] ?? piece) }
                } else {
                    take(.thinking, thinking)
                }
            case "refusal": take(.content, object["refusal"])
            default: take(.content, object["text"])
            }
        }
    }

    /// Takes text if the value is any.
    ///
    /// - Returns: Whether it was text and not empty.
    @discardableResult
    mutating func take(_ kind: TextKind, _ value: JSONValue?) -> Bool {
        guard case .string(let text)? = value, !text.isEmpty else { return false }
        noteDelta()
        guard kind == .content, splitter != nil else {
            emit(kind, text.utf8)
            return true
        }
        var pieces: [ThinkTagSplitter.Piece] = []
        splitter?.push(text.utf8, into: &pieces)
        emit(pieces)
        return true
    }

    /// Counts a delta that carried something.
    mutating func noteDelta() {
        producedAnything = true
        meter.delta(at: sink.moment)
    }

    mutating func emit(_ pieces: [ThinkTagSplitter.Piece]) {
        for piece in pieces {
            switch piece {
            case .text(let kind, let text): emit(kind, text)
            case .contentWasThinking: sink.contentWasThinking(kept: settings.thinking == .pass)
            }
        }
    }

    private mutating func emit(_ kind: TextKind, _ text: ArraySlice<UInt8>) {
        echo?.take(kind, text)
        guard kind == .content || settings.thinking == .pass else {
            pendingLogprobs.removeAll()
            return
        }
        sink.text(kind, text, logprobs: pendingLogprobs)
        pendingLogprobs.removeAll()
    }

    /// - Parameter areWhole: Each is a call of its own, whatever it is called.
    private mutating func takeToolCalls(_ delta: JSONObject, areWhole: Bool) throws(OllamaFailure) {
        do {
            for call in delta["tool_calls"]?.array ?? [] {
                guard let call = call.object else { continue }
                try toolCalls.push(call, isWhole: areWhole)
                noteDelta()
            }
            if let call = delta["function_call"]?.object {
                try toolCalls.push(["index": 0, "function": .object(call)])
                noteDelta()
            }
        } catch {
            throw FailureMapping.failure(.tooLarge, context: settings.failures)
        }
    }
}
