/// Turns as OpenAI messages.
struct MessageWriting {
    let dialect: Dialect
    /// OpenAI's `detail` where the picture brings none.
    let detail: String?
    let echo: Dialect.ReasoningEcho
    /// Sends `reasoning_content` even where there is none: an upstream has complained.
    let echoesAlways: Bool
    /// Makes up for thought signatures that are missing: an upstream has complained.
    var standsInForSignatures = false
    /// The name to send for each name a client uses.
    let toolNames: [String: String]

    func write(_ turns: [Turn], to writer: inout BodyWriter) {
        writer.raw("[")
        for index in turns.indices {
            if index > 0 { writer.raw(",") }
            write(turns[index], to: &writer)
        }
        writer.raw("]")
    }

    private func write(_ turn: Turn, to writer: inout BodyWriter) {
        writer.raw(#"{"role":"#)
        writer.string(turn.role.rawValue)
        if turn.role == .tool {
            writer.raw(#","tool_call_id":"#)
            writer.string(turn.callID ?? "")
            if dialect.toolResultNames, let name = turn.toolName {
                writer.raw(#","name":"#)
                writer.string(sent(name))
            }
        }
        writer.raw(#","content":"#)
        if !turn.pictures.isEmpty, turn.role == .user {
            writeParts(turn, to: &writer)
        } else if turn.text.isEmpty, !turn.calls.isEmpty, dialect.emptyContent == .null {
            writer.raw("null")
        } else {
            writer.string(turn.text)
        }
        if turn.role == .assistant {
            writeReasoning(turn, to: &writer)
            writeCalls(turn, to: &writer)
        }
        writer.raw("}")
    }

    /// Text first, then the pictures in order; never an empty text part.
    private func writeParts(_ turn: Turn, to writer: inout BodyWriter) {
        writer.raw("[")
        if !turn.text.isEmpty {
            writer.raw(#"{"type":"text","text":"#)
            writer.string(turn.text)
            writer.raw("},")
        }
        for (index, picture) in turn.pictures.enumerated() {
            if index > 0 { writer.raw(",") }
            writer.raw(#"{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,"#)
            writer.picture(picture.base64)
            writer.raw(#"""#)
            if dialect.imageDetail, let detail = picture.detail ?? detail {
                writer.raw(#","detail":"#)
                writer.string(detail)
            }
            writer.raw("}}")
        }
        writer.raw("]")
    }

    private func writeReasoning(_ turn: Turn, to writer: inout BodyWriter) {
        if dialect.reasoningDetails, !turn.reasoningDetails.isEmpty {
            writer.raw(#","reasoning_details":"#)
            writer.value(.array(turn.reasoningDetails))
            return
        }
        switch echo {
        case .none: return
        case .reasoning:
            guard let thinking = turn.thinking else { return }
            writer.raw(#","reasoning":"#)
            writer.string(thinking)
        case .reasoningContent:
            guard !turn.calls.isEmpty, turn.thinking != nil || echoesAlways else { return }
            writer.raw(#","reasoning_content":"#)
            writer.string(turn.thinking ?? "")
        }
    }

    private func writeCalls(_ turn: Turn, to writer: inout BodyWriter) {
        guard !turn.calls.isEmpty else { return }
        writer.raw(#","tool_calls":["#)
        for (index, call) in turn.calls.enumerated() {
            if index > 0 { writer.raw(",") }
            writer.raw(#"{"id":"#)
            writer.string(call.id)
            writer.raw(#","type":"function","function":{"name":"#)
            writer.string(sent(call.name))
            writer.raw(#","arguments":"#)
            writer.string(JSONText(utf8: JSONWriter.bytes(call.arguments)[...]))
            writer.raw("}")
            if let extra = extraContent(of: call, at: index) {
                writer.raw(#","extra_content":"#)
                writer.value(extra)
            }
            writer.raw("}")
        }
        writer.raw("]")
    }

    /// A signature that is lost, or never was because another model made the call, is made up for where the upstream insists on one: on the
    /// first call of each message, with the word that Google's manual gives for this case.
    private func extraContent(of call: Turn.Call, at index: Int) -> JSONValue? {
        guard dialect.toolExtraContent else { return nil }
        if let extra = call.extraContent { return extra }
        guard standsInForSignatures, index == 0 else { return nil }
        return ["google": ["thought_signature": "skip_thought_signature_validator"]]
    }

    private func sent(_ name: String) -> String { toolNames[name] ?? ToolIdentifiers.name(name) }
}
