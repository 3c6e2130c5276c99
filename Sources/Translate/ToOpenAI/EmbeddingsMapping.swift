/// `/api/embed` and `/api/embeddings` as one or more requests to `/embeddings`.
public enum EmbeddingsMapping {
    /// The upstream requests, in order; more than one when the upstream takes only so many texts at once.
    public static func build(_ request: EmbedRequest, model: ResolvedModel, adjustments: LearnedAdjustments = .init()) -> [UpstreamBody] {
        batches(request, model: model).map { batch in
            var fields: JSONObject = ["model": .text(model.upstreamID)]
            fields["input"] = .array(batch.map(JSONValue.string))
            if model.dialect.embeddingOptions {
                fields["dimensions"] = request.dimensions.map(JSONValue.integer)
                fields["encoding_format"] = "float"
            }
            fields = adjustments.adjusted(fields)
            return UpstreamBody(
                path: "/embeddings", pieces: [JSONWriter.bytes(.object(fields))], parameters: Set(fields.members.map(\.key)),
                originalToolNames: [:])
        }
    }

    /// The texts of each upstream request, in order.
    public static func batches(_ request: EmbedRequest, model: ResolvedModel) -> [ArraySlice<JSONText>] {
        let size = max(1, model.dialect.embeddingBatch)
        return stride(from: 0, to: request.inputs.count, by: size).map { start in
            request.inputs[start..<min(start + size, request.inputs.count)]
        }
    }
}
