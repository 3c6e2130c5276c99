/// `/api/embed` as one or more requests to `/embeddings`, and their answers as one.
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

    /// Vectors and their cost, from one upstream answer.
    public struct Reply: Sendable, Equatable {
        public var vectors: [[Double]]
        /// nil when the upstream does not say.
        public var promptTokens: Int?

        public init(vectors: [[Double]], promptTokens: Int? = nil) {
            self.vectors = vectors
            self.promptTokens = promptTokens
        }
    }

    /// Reads an upstream's answer; its vectors may come in any order.
    ///
    /// - Parameter expected: How many texts were sent.
    /// - Throws: Status 502 when the answer is not that many vectors.
    public static func read(_ json: JSONValue, expected: Int) throws(OllamaFailure) -> Reply {
        guard let data = json.object?["data"]?.array, data.count == expected else {
            throw unreadable("\(expected) texts were sent, \(json.object?["data"]?.array?.count ?? 0) vectors came back.")
        }
        var vectors = [[Double]?](repeating: nil, count: expected)
        for (position, entry) in data.enumerated() {
            let index = entry.object?["index"]?.number?.integer ?? position
            guard vectors.indices.contains(index), vectors[index] == nil, let numbers = entry.object?["embedding"]?.array else {
                throw unreadable("A vector is missing or has no place.")
            }
            let vector = numbers.compactMap { $0.number?.double }
            guard vector.count == numbers.count, !vector.isEmpty else { throw unreadable("A vector holds something that is no number.") }
            vectors[index] = vector
        }
        return Reply(vectors: vectors.compactMap(\.self), promptTokens: json.object?["usage"]?.object?["prompt_tokens"]?.number?.integer)
    }

    private static func unreadable(_ detail: String) -> OllamaFailure {
        OllamaFailure(status: 502, error: "the model server's embeddings cannot be read", code: "BAD_UPSTREAM_REPLY", detail: detail)
    }

    /// The body of the answer to the client. For `/api/embed` vectors have length 1; a `dimensions` the upstream ignored is made good by
    /// cutting.
    ///
    /// - Parameters:
    ///   - replies: One per upstream request, in order.
    ///   - totalNanoseconds: Of the whole request. At least 1 is written, because clients divide by it and some require it.
    ///   - loadNanoseconds: Until the upstream was asked.
    public static func answer(
        _ request: EmbedRequest, replies: [Reply], totalNanoseconds: Int, loadNanoseconds: Int
    ) -> [UInt8] {
        let vectors = replies.flatMap(\.vectors)
        switch request.route {
        case .embeddings: return JSONWriter.bytes(["embedding": array(vectors.first ?? [])])
        case .embed:
            let cut = vectors.map { normalized(Array($0.prefix(request.dimensions ?? $0.count))) }
            let estimate = request.inputs.reduce(0) { $0 + $1.utf8.count / 4 + 1 }
            let counted = replies.compactMap(\.promptTokens)
            let tokens = counted.count == replies.count && !replies.isEmpty ? counted.reduce(0, +) : estimate
            return JSONWriter.bytes([
                "model": .text(request.model), "embeddings": .array(cut.map(array)),
                "total_duration": .integer(max(1, totalNanoseconds)), "load_duration": .integer(max(1, loadNanoseconds)),
                "prompt_eval_count": .integer(max(1, tokens)),
            ])
        }
    }

    private static func array(_ vector: [Double]) -> JSONValue { .array(vector.map { .number(JSONNumber($0)) }) }

    private static func normalized(_ vector: [Double]) -> [Double] {
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return length > 0 && length.isFinite ? vector.map { $0 / length } : vector
    }
}
