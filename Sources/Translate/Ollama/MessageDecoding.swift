extension Message {
    /// Reads one entry of `messages`. What Go refuses and clients send all the same is taken: `content` as null, `[]` or OpenAI's list
    /// of parts, and `arguments` as JSON text.
    static func decode(_ json: JSONValue) throws(OllamaFailure) -> Message {
        guard let object = json.object else {
            throw .badRequest("json: cannot unmarshal \(json.kind) into Go value of type api.Alias")
        }
        // Ollama decodes a message through a type named Alias, and its clients see that name.
        let fields = FieldReader(object, struct: "Alias")
        var message = Message(role: try fields.text("role").map { role($0.utf8.span) } ?? .user)
        for value in try fields.array("images", of: "[]api.ImageData") ?? [] { message.images.append(ImageSource(value)) }
        try message.takeContent(fields)
        message.thinking = try fields.text("thinking").flatMap { $0.isEmpty ? nil : $0 }
        for call in try fields.array("tool_calls", of: "[]api.ToolCall") ?? [] {
            message.toolCalls.append(try ToolCall.decode(call))
        }
        message.toolName = try nonEmpty(fields.string("tool_name"))
        if message.toolName == nil { message.toolName = try nonEmpty(fields.string("name")) }
        message.toolCallID = try nonEmpty(fields.string("tool_call_id"))
        return message
    }

    static func role(_ name: Span<UInt8>) -> Role {
        if name.equals(lowercase: "assistant") { return .assistant }
        if name.equals(lowercase: "system") { return .system }
        if name.equals(lowercase: "tool") { return .tool }
        return name.equals(lowercase: "developer") ? .developer : .user
    }

    private static func nonEmpty(_ text: String?) -> String? { text.flatMap { $0.isEmpty ? nil : $0 } }

    private mutating func takeContent(_ fields: FieldReader) throws(OllamaFailure) {
        switch fields.value("content", nullChangesNothing: true) {
        case nil: break
        case .string(let text): content = text
        case .array(let parts): try take(parts: parts, fields)
        case .some(let other): throw fields.mismatch(other, "content", "string")
        }
    }

    private mutating func take(parts: [JSONValue], _ fields: FieldReader) throws(OllamaFailure) {
        var texts: [String] = []
        for part in parts {
            let object = part.object
            if let text = object?.lenient("text")?.string {
                texts.append(text)
            } else if let image = object?.lenient("image_url") {
                images.append(ImageSource(image.object?.lenient("url") ?? image))
            } else {
                throw fields.mismatch(.array(parts), "content", "string")
            }
        }
        content = JSONText(texts.joined(separator: "\n"))
    }
}

extension ToolCall {
    static func decode(_ json: JSONValue) throws(OllamaFailure) -> ToolCall {
        guard let object = json.object else {
            throw .badRequest("json: cannot unmarshal \(json.kind) into Go struct field Alias.tool_calls of type api.ToolCall")
        }
        let fields = FieldReader(object, struct: "ToolCall", path: "tool_calls.")
        let function = try fields.object("function", of: "api.ToolCallFunction") ?? JSONObject()
        let inner = FieldReader(function, struct: "ToolCallFunction", path: "tool_calls.function.")
        let id = try fields.string("id")
        return ToolCall(
            id: id?.isEmpty == false ? id : nil, name: try inner.string("name") ?? "",
            arguments: arguments(inner.value("arguments")), extraContent: fields.value("extra_content"))
    }

    /// How many values the arguments of a message's calls hold at most where they are JSON text.
    static func mostValuesInText(of message: JSONValue) -> Int {
        (message.object?.lenient("tool_calls")?.array ?? []).reduce(0) { sum, call in
            let arguments = call.object?.lenient("function")?.object?.lenient("arguments")
            guard case .string(let text)? = arguments else { return sum }
            return sum + JSONLimits.mostValues(in: text.utf8.span)
        }
    }

    /// An object, whatever the client made of it: JSON text is parsed, anything else is wrapped rather than lost.
    private static func arguments(_ value: JSONValue?) -> JSONValue {
        switch value {
        case nil: return [:]
        case .some(.object): return value ?? [:]
        case .string(let text):
            if text.utf8.allSatisfy({ $0 <= 0x20 }) { return [:] }
            if let parsed = try? JSONParser.parse(Array(text.utf8)), parsed.object != nil { return parsed }
            return ["value": .string(text)]
        case .some(let other): return ["value": other]
        }
    }
}
