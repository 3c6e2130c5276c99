/// Raw prompts and gaps to fill, as `/completions`.
enum CompletionBuilder {
    /// - Returns: nil when the request belongs to `/chat/completions`: chats, ordinary prompts, and raw ones where the upstream has no
    ///   text completion, pictures come along, or only the chat endpoint knows the format that is asked for.
    static func build(
        _ request: InferenceRequest, model: ResolvedModel, adjustments: LearnedAdjustments
    ) throws(OllamaFailure) -> UpstreamBody? {
        guard let generate = request.generate else { return nil }
        let hasPictures = request.messages.contains { !$0.images.isEmpty }
        if generate.suffix != nil, hasPictures {
            throw .badRequest("images cannot be used together with suffix", code: "UNSUPPORTED_CAPABILITY")
        }
        let dialect = model.dialect
        let knowsFormat = request.format == nil || (dialect.completionsFormat && !adjustments.schemaInPrompt)
        guard generate.suffix != nil || (generate.raw && dialect.completions && knowsFormat && !hasPictures) else { return nil }
        var fields: JSONObject = ["model": .text(model.upstreamID), "prompt": .string(generate.prompt)]
        fields["suffix"] = generate.suffix.map(JSONValue.string)
        if let format = request.format, dialect.completionsFormat {
            fields["response_format"] =
                FormatMapping(format: format, dialect: dialect, schemaInPrompt: adjustments.schemaInPrompt).responseFormat
        }
        OptionMapping(options: request.options, model: model).apply(to: &fields, maxTokensField: "max_tokens")
        if request.logprobs, dialect.logprobs { fields["logprobs"] = .integer(request.topLogprobs) }
        fields["stream"] = .bool(request.stream)
        if request.stream, dialect.streamUsage { fields["stream_options"] = ["include_usage": true] }
        fields = adjustments.adjusted(fields)
        return UpstreamBody(
            path: "/completions", pieces: [JSONWriter.bytes(.object(fields))[...]], keys: fields.members.map(\.key),
            originalToolNames: [:])
    }
}
