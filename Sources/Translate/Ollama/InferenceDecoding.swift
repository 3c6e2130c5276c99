extension InferenceRequest {
    /// Reads a body of `/api/chat`.
    ///
    /// - Throws: Status 400 with Go's or Ollama's own sentence. A faulty picture is not an error here.
    public static func chat(_ json: JSONValue) throws(OllamaFailure) -> InferenceRequest {
        let fields = try FieldReader(body: json, struct: "ChatRequest")
        var request = try common(fields, shape: .chat)
        var values = 0
        for message in try fields.array("messages", of: "[]api.Message") ?? [] {
            values += ToolCall.mostValuesInText(of: message)
            guard values <= JSONLimits.mostInside else { throw .badRequest(JSONError.tooComplex("too many values").message) }
            request.messages.append(try Message.decode(message))
        }
        for tool in try fields.array("tools", of: "api.Tools") ?? [] { request.tools.append(try ToolDefinition.decode(tool)) }
        request.giveToLastUserMessage(try images(fields))
        return request
    }

    /// Reads a body of `/api/generate`.
    ///
    /// - Throws: As ``chat(_:)``.
    public static func generate(_ json: JSONValue) throws(OllamaFailure) -> InferenceRequest {
        let fields = try FieldReader(body: json, struct: "GenerateRequest")
        var request = try common(fields, shape: .generate)
        var context: [Int] = []
        for number in try fields.array("context", of: "[]int") ?? [] { context.append(try fields.integer(number, "context")) }
        let generate = GenerateFields(
            prompt: try fields.text("prompt") ?? "", suffix: nonEmpty(try fields.text("suffix")),
            system: nonEmpty(try fields.text("system")), template: nonEmpty(try fields.text("template")),
            raw: try fields.bool("raw") ?? false, context: context)
        request.generate = generate
        let images = try images(fields)
        if !generate.prompt.isEmpty {
            if let system = generate.system { request.messages.append(Message(role: .system, content: system)) }
            request.messages.append(Message(role: .user, content: generate.prompt, images: images))
        }
        return request
    }

    private static func common(_ fields: FieldReader, shape: AnswerShape) throws(OllamaFailure) -> InferenceRequest {
        var request = InferenceRequest(
            shape: shape, model: try fields.string("model") ?? "", stream: try fields.bool("stream") ?? true,
            logprobs: try fields.bool("logprobs") ?? false, topLogprobs: try fields.integer("top_logprobs") ?? 0)
        if let format = fields.value("format") { request.format = try AnswerFormat.decode(format) }
        if let think = fields.value("think") { request.think = try ThinkSetting.decode(think) }
        if let keepAlive = fields.value("keep_alive") { request.keepAlive = try KeepAlive.decode(keepAlive) }
        if let options = try fields.object("options", of: "map[string]interface {}") {
            request.options = try GenerationOptions.decode(options)
        }
        guard (0...20).contains(request.topLogprobs) else { throw .badRequest("top_logprobs must be between 0 and 20") }
        return request
    }

    private static func images(_ fields: FieldReader) throws(OllamaFailure) -> [ImageSource] {
        try fields.array("images", of: "[]api.ImageData")?.map { ImageSource($0) } ?? []
    }

    private static func nonEmpty(_ text: JSONText?) -> JSONText? { text.flatMap { $0.isEmpty ? nil : $0 } }

    /// Top-level pictures of a chat, which Ollama does not know but clients send. Some send those of the message a second time.
    private mutating func giveToLastUserMessage(_ images: [ImageSource]) {
        guard !images.isEmpty, !messages.isEmpty else { return }
        guard let index = messages.lastIndex(where: { $0.role == .user }) else {
            messages.append(Message(role: .user, content: "", images: images))
            return
        }
        if messages[index].images != images { messages[index].images += images }
    }
}
