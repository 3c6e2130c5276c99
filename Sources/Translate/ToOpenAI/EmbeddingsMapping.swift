/// `/api/embed` as one or more requests to `/embeddings`, and their answers as one.
public enum EmbeddingsMapping {
    /// The upstream requests, in order; more than one when the upstream takes only so many texts at once.
    public static func build(
        _ request: EmbedRequest, model: ResolvedModel, adjustments: LearnedAdjustments = .init()
    ) -> [UpstreamBody] { [] }

    /// Vectors and their cost, from one upstream answer.
    public struct Reply: Sendable, Equatable {
        public var vectors: [[Double]]
        /// nil when the upstream does not say.
        public var promptTokens: Int?
    }

    /// - Parameter expected: How many texts were sent.
    /// - Throws: Status 502 when the answer is not that many vectors.
    public static func read(_ json: JSONValue, expected: Int) throws(OllamaFailure) -> Reply { Reply(vectors: []) }

    /// The body of the answer to the client.
    ///
    /// - Parameters:
    ///   - totalNanoseconds: Of the whole request; loadNanoseconds: until the upstream was asked. At least 1 is written.
    public static func answer(
        _ request: EmbedRequest, replies: [Reply], totalNanoseconds: Int, loadNanoseconds: Int
    ) -> [UInt8] { [] }
}
