/// Joins an upstream's `/v1/embeddings` answers into Ollama's.
public struct EmbeddingsAnswer: Sendable {
    /// - Parameters:
    ///   - dimensions: Cut each vector to this many numbers; nil keeps all.
    ///   - failures: What the mapping of upstream errors needs to know.
    public init(dimensions: Int?, failures: FailureContext) {}

    /// Takes the upstream's answer to the next batch of inputs.
    ///
    /// - Parameters:
    ///   - body: The upstream's JSON.
    ///   - inputs: How many inputs the batch had.
    /// - Throws: If the body is an error, cannot be understood, or has another number of vectors.
    public mutating func add(_ body: [UInt8], inputs: Int) throws(OllamaFailure) {}

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
    ) -> [UInt8] { [] }

    /// The body of the older `/api/embeddings`: the first vector.
    public func embeddingsBody() -> [UInt8] { [] }
}
