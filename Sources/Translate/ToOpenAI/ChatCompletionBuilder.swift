/// Builds the upstream request from a decoded one.
public enum ChatCompletionBuilder {
    /// - Parameters:
    ///   - images: Per message of `request.messages`, per entry of its `images`, what became of it.
    ///   - adjustments: What earlier refusals of this model taught.
    /// - Throws: Only for what cannot be said to this upstream at all.
    public static func build(
        _ request: InferenceRequest, model: ResolvedModel, images: [[ImageOutcome]] = [], adjustments: LearnedAdjustments = .init()
    ) throws(OllamaFailure) -> UpstreamBody {
        if request.generate != nil, let body = try CompletionBuilder.build(request, model: model, adjustments: adjustments) { return body }
        let tools = ToolMapping(request.tools)
        let format = request.format.map {
            FormatMapping(format: $0, dialect: model.dialect, schemaInPrompt: adjustments.schemaInPrompt)
        }
        let turns = turns(request, model: model, images: images, format: format)
        let fields = adjustments.adjusted(fields(request, model: model, tools: tools, format: format))
        var writer = BodyWriter(expecting: 256 + request.messages.reduce(0) { $0 + 64 + $1.content.utf8.count })
        writer.raw(#"{"model":"#)
        writer.string(model.upstreamID)
        writer.raw(#","messages":"#)
        messageWriting(model, tools, adjustments).write(turns, to: &writer)
        for member in fields.members {
            writer.raw(",")
            writer.string(member.key)
            writer.raw(":")
            writer.value(member.value)
        }
        writer.raw("}")
        return UpstreamBody(
            path: "/chat/completions", pieces: writer.finish(), keys: leadingKeys, moreFields: fields.members,
            originalToolNames: tools.originalNames)
    }

    private static let leadingKeys = ["model", "messages"]

    /// The messages, in the steps that their rules need: pictures in place, results behind calls, pictures off other roles, split turns
    /// joined, system where it belongs.
    private static func turns(
        _ request: InferenceRequest, model: ResolvedModel, images: [[ImageOutcome]], format: FormatMapping?
    ) -> [Turn] {
        let dialect = model.dialect
        var turns = Turn.list(request, images: images, stripsThinkTags: model.capabilities.thinking || dialect.thinkTags != .none)
        turns = ToolCorrelation.apply(turns, form: dialect.toolIDs)
        if dialect.toolHistoryNeedsTools, request.tools.isEmpty { turns = TurnShaping.flatteningTools(turns) }
        turns = TurnShaping.movingPicturesToUsers(turns)
        turns = TurnShaping.droppingEmpty(turns)
        turns = TurnShaping.joiningSplitTurns(turns)
        turns = TurnShaping.placingSystem(turns, dialect: dialect)
        if dialect.alternatingRoles { turns = TurnShaping.alternating(turns) }
        guard let format, let line = format.instruction(mentionsJSON: turns.contains(where: \.mentionsJSON)) else { return turns }
        return TurnShaping.addingInstruction(line, to: turns)
    }

    /// Everything beside model and messages, in a stable order.
    private static func fields(
        _ request: InferenceRequest, model: ResolvedModel, tools: ToolMapping, format: FormatMapping?
    ) -> JSONObject {
        let dialect = model.dialect
        var fields = JSONObject()
        if let tools = tools.json { fields["tools"] = tools }
        if let format = format?.responseFormat { fields["response_format"] = format }
        if request.options != GenerationOptions() {
            OptionMapping(options: request.options, model: model).apply(to: &fields, maxTokensField: dialect.maxTokensField)
        }
        if let think = request.think { ThinkMapping(think: think, model: model).apply(to: &fields) }
        if request.logprobs, dialect.logprobs, dialect.samplingOnReasoning || !model.capabilities.thinking {
            fields["logprobs"] = true
            if request.topLogprobs > 0 { fields["top_logprobs"] = .integer(request.topLogprobs) }
        }
        fields["stream"] = .bool(request.stream)
        if request.stream, dialect.streamUsage { fields["stream_options"] = ["include_usage": true] }
        return fields
    }

    private static func messageWriting(_ model: ResolvedModel, _ tools: ToolMapping, _ adjustments: LearnedAdjustments) -> MessageWriting {
        MessageWriting(
            dialect: model.dialect, detail: model.images.detail,
            echo: adjustments.hidesReasoning ? .none : adjustments.echoesReasoning ? .reasoningContent : model.dialect.reasoningEcho,
            echoesAlways: adjustments.echoesReasoning, standsInForSignatures: adjustments.standsInForSignatures, toolNames: tools.sentNames)
    }
}

extension Turn {
    /// Whether the word stands in the text, in any case.
    fileprivate var mentionsJSON: Bool {
        let bytes = text.utf8
        guard bytes.count >= 4 else { return false }
        return (bytes.startIndex...bytes.endIndex - 4).contains { index in
            bytes[index] | 0x20 == UInt8(ascii: "j") && bytes[index + 1] | 0x20 == UInt8(ascii: "s")
                && bytes[index + 2] | 0x20 == UInt8(ascii: "o") && bytes[index + 3] | 0x20 == UInt8(ascii: "n")
        }
    }
}
