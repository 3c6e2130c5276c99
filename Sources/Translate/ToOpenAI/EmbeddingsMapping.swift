/// `/api/embed` and `/api/embeddings` as one or more requests to `/embeddings`.
public enum EmbeddingsMapping {
    /// The upstream request for some of the texts.
    public static func build(
        _ texts: ArraySlice<JSONText>, of request: EmbedRequest, model: ResolvedModel, adjustments: LearnedAdjustments = .init()
    ) -> UpstreamBody {
        var fields: JSONObject = ["model": .text(model.upstreamID)]
        fields["input"] = .array(texts.map(JSONValue.string))
        if model.dialect.embeddingOptions {
            fields["dimensions"] = request.dimensions.map(JSONValue.integer)
            fields["encoding_format"] = "float"
        }
        fields = adjustments.adjusted(fields)
        return UpstreamBody(
            path: "/embeddings", pieces: [JSONWriter.bytes(.object(fields))[...]], keys: fields.members.map(\.key),
            originalToolNames: [:])
    }

    /// The texts of each upstream request, in order; more than one when an upstream takes only so many at once.
    ///
    /// - Parameter members: All that may be asked: each must be able to take each batch.
    public static func batches(_ request: EmbedRequest, members: [ResolvedModel]) -> [ArraySlice<JSONText>] {
        let size = max(1, members.map(\.dialect.embeddingBatch).min() ?? 1)
        return stride(from: 0, to: request.inputs.count, by: size).map { start in
            request.inputs[start..<min(start + size, request.inputs.count)]
        }
    }
}
