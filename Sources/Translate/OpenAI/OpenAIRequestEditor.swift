/// A `/v1` request that passes through: the model's name and the pictures are replaced, every other byte stays.
public struct OpenAIRequestEditor: Sendable {
    /// As the client wrote it; "" when absent.
    public let model: String
    /// Absent means false here.
    public let stream: Bool
    /// The pictures in order.
    public let images: [Picture]

    /// One `image_url` part.
    public struct Picture: Sendable, Equatable {
        public var source: ImageSource
        /// The client's `detail`, kept.
        public var detail: String?
        /// Where it stands, for an error's `param`.
        public var param: String
        /// Position of its message.
        public var message: Int
        public var isInNewestTurn: Bool
    }

    /// - Throws: When the body is no JSON object, or chat messages are missing.
    public init(_ body: [UInt8], route: Route = .chatCompletions) throws(OpenAIFailure) {
        throw OpenAIFailure(status: 400, message: "not built yet")
    }

    /// The routes whose bodies are edited.
    public enum Route: String, Sendable {
        case chatCompletions = "/chat/completions"
        case completions = "/completions"
        case embeddings = "/embeddings"
    }

    /// The body to send.
    ///
    /// - Parameter outcomes: What became of each of ``images``, in the same order.
    public func rewritten(model: ResolvedModel, outcomes: [ImageOutcome] = []) -> UpstreamBody {
        UpstreamBody(path: "", pieces: [], parameters: [], originalToolNames: [:])
    }
}
