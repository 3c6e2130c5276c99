/// Raw prompts and gaps to fill, as `/completions`.
enum CompletionBuilder {
    /// - Returns: nil when the request belongs to `/chat/completions`: chats, ordinary prompts, and raw ones where the upstream has no
    ///   text completion or pictures come along.
    static func build(
        _ request: InferenceRequest, model: ResolvedModel, adjustments: LearnedAdjustments
    ) throws(OllamaFailure) -> UpstreamBody? {
        guard let generate = request.generate else { return nil }
        let hasPictures = request.messages.contains { !$0.images.isEmpty }
        if generate.suffix != nil, hasPictures {
            throw .badRequest("images cannot be used together with suffix", code: "UNSUPPORTED_CAPABILITY")
        }
        guard generate.suffix != nil || (generate.raw && model.dialect.completions && !hasPictures) else { return nil }
        var fields: JSONObject = ["model": .text(model.upstreamID), "prompt": .string(generate.prompt)]
        fields["suffix"] = generate.suffix.map(JSONValue.string)
        OptionMapping(options: request.options, model: model).apply(to: &fields, maxTokensField: "max_tokens")
        if request.logprobs, model.dialect.logprobs { fields["logprobs"] = .integer(request.topLogprobs) }
        fields["stream"] = .bool(request.stream)
        if request.stream, model.dialect.streamUsage { fields["stream_options"] = ["include_usage": true] }
        fields = adjustments.adjusted(fields)
        return UpstreamBody(
            path: "/completions", pieces: [JSONWriter.bytes(.object(fields))], parameters: Set(fields.members.map(\.key)),
            originalToolNames: [:])
    }
}
