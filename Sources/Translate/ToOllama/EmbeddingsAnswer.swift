/// Joins an upstream's `/v1/embeddings` answers into Ollama's.
public struct EmbeddingsAnswer: Sendable {
    private let dimensions: Int?
    private let failures: FailureContext
    private var vectors: [[Float]] = []
    private var promptTokens: Int?

    /// - Parameters:
    ///   - dimensions: Cut each vector to this many numbers; nil or a number below 1 keeps all.
    ///   - failures: What the mapping of upstream errors needs to know.
    public init(dimensions: Int?, failures: FailureContext) {
        self.dimensions = dimensions
        self.failures = failures
    }

    /// Takes the upstream's answer to the next batch of inputs.
    ///
    /// - Parameters:
    ///   - body: The upstream's JSON.
    ///   - inputs: How many inputs the batch had.
    /// - Throws: If the body is an error, cannot be understood, or has another number of vectors.
    public mutating func add(_ body: [UInt8], inputs: Int) throws(OllamaFailure) {
        guard let reply = EmbeddingsReply(body) else { throw failure(in: body) }
        guard reply.vectors.count == inputs else {
            throw OllamaFailure(
                status: 502, error: "model server sent \(reply.vectors.count) embeddings for \(inputs) inputs", code: "UPSTREAM_INVALID")
        }
        vectors += reply.vectors.map(cut)
        if let tokens = reply.usage.promptTokens {
            let sum = tokens.addingReportingOverflow(promptTokens ?? 0)
            promptTokens = sum.overflow ? promptTokens : sum.partialValue
        }
    }

    private func failure(in body: [UInt8]) -> OllamaFailure {
        guard let first = body.first(where: { $0 > 0x20 }) else { return FailureMapping.empty }
        if first == UInt8(ascii: "<") { return FailureMapping.webPage }
        guard let value = try? JSONParser.parse(body, rule: .repair), let object = (value.array?.first ?? value).object,
            let error = UpstreamFailure.error(in: object)
        else { return FailureMapping.unreadable }
        return FailureMapping.reported(error, context: failures)
    }

    private func cut(_ vector: [Float]) -> [Float] {
        guard let dimensions, dimensions > 0, dimensions < vector.count else { return vector }
        return Array(vector.prefix(dimensions))
    }

    /// About how many bytes its numbers take as text.
    public var size: Int { vectors.reduce(0) { $0 + 12 * $1.count } }

    /// The tokens of all inputs, if the upstream counted them.
    public var tokens: Int? { promptTokens }

    /// The body of `/api/embed`: L2-normalised vectors with durations and counts, all at least 1.
    ///
    /// - Parameters:
    ///   - model: The model's name as the client wrote it.
    ///   - received: When the request arrived.
    ///   - sent: When the first request had gone upstream.
    ///   - moment: Now.
    ///   - inputBytes: Bytes of text in the inputs, for an estimate when the upstream counts no tokens.
    public func embedBody(
        model: String, received: AnswerMoment, sent: AnswerMoment, at moment: AnswerMoment, inputBytes: Int
    ) -> [UInt8] {
        var body = Array(#"{"model":"#.utf8)
        JSONWriter.append(quoting: model, to: &body)
        body += Array(#","embeddings":["#.utf8)
        for (index, vector) in vectors.enumerated() {
            if index > 0 { body.append(UInt8(ascii: ",")) }
            Self.append(Self.normalised(vector), to: &body)
        }
        let load = max(1, sent.since(received))
        let total = max(load, moment.since(received))
        let count = max(1, promptTokens ?? inputBytes / 4)
        return body + Array(#"],"total_duration":\#(total),"load_duration":\#(load),"prompt_eval_count":\#(count)}"#.utf8)
    }

    /// The body of the older `/api/embeddings`: the first vector as it came, or an empty one.
    public func embeddingsBody() -> [UInt8] {
        var body = Array(#"{"embedding":"#.utf8)
        Self.append(vectors.first ?? [], to: &body)
        return body + [UInt8(ascii: "}")]
    }

    private static func normalised(_ vector: [Float]) -> [Float] {
        let length = vector.reduce(into: 0.0) { $0 += Double($1) * Double($1) }.squareRoot()
        guard length > 0 else { return vector }
        return vector.map { Float(Double($0) / length) }
    }

    private static func append(_ vector: [Float], to output: inout [UInt8]) {
        output.append(UInt8(ascii: "["))
        for (index, number) in vector.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            output.append(contentsOf: number.description.utf8)
        }
        output.append(UInt8(ascii: "]"))
    }
}
