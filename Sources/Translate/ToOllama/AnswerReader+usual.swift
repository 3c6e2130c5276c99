extension AnswerReader {
    /// Takes a chunk that holds one piece of text and nothing else, without building a tree for it: the text goes on as it is escaped.
    ///
    /// - Returns: false for anything else, nothing taken.
    mutating func takeUsualChunk(_ data: Span<UInt8>) -> Bool {
        guard !isGeneralOnly, pendingLogprobs.isEmpty, halves.isEmpty, eventName != "error" else { return false }
        guard let chunk = usualChunk(data) else { return false }
        let text = data.extracting(chunk.text.range)
        if chunk.kind == .content, let splitter, !splitter.isSettled {
            guard splitter.passesPlainContent, !Self.mayHoldTag(text) else { return false }
        }
        if echo != nil {
            // What is kept is kept unescaped, and the rest of such a chunk may be of interest too.
            guard !chunk.hasDetails, !chunk.text.hasEscapes else { return false }
            echo?.take(chunk.kind, [UInt8](copying: text))
        }
        if let usage = chunk.usage { meter.usage.take(usage) }
        sawChunk = true
        noteDelta()
        if chunk.kind == .content || settings.thinking == .pass { sink.escapedText(chunk.kind, text) }
        return true
    }

    private mutating func usualChunk(_ data: Span<UInt8>) -> UsualChunk? {
        if let chunk = frame.chunk(data) { return chunk }
        guard let chunk = UsualChunk(data, skipsLogprobs: !settings.logprobs) else { return nil }
        // Not of the first one: it often has a role beside the text, and somebody waits for it.
        if meter.deltas > 0 { frame.note(chunk, data) }
        return chunk
    }

    /// Whether there is a `<`, or an escape that could be one.
    private static func mayHoldTag(_ text: Span<UInt8>) -> Bool {
        for index in text.indices {
            let byte = text[index]
            if byte == UInt8(ascii: "<") || byte == UInt8(ascii: "u") && index > 0 && text[index - 1] == UInt8(ascii: "\\") { return true }
        }
        return false
    }
}
