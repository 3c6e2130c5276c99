/// A request to an upstream, ready to send.
public struct UpstreamBody: Sendable, Equatable {
    /// Appended to the provider's base URL: `/chat/completions`, `/completions` or `/embeddings`.
    public let path: String
    /// The bytes in order. A picture's base64 goes in by reference, in pieces of its own.
    public let pieces: [ArraySlice<UInt8>]
    /// Keys that are in the body, with those of ``moreFields``.
    let keys: [String]
    var moreFields: [JSONObject.Member] = []
    /// Tool names that had to be changed for the upstream, by the name that was sent; answers must use the client's again.
    public let originalToolNames: [String: String]

    /// The top-level keys in the body, for learning from a refusal.
    public var parameters: Set<String> { Set(keys).union(moreFields.map(\.key)) }
    /// Those of them that the bridge chose by its own rules.
    public var values: JSONObject { JSONObject(moreFields) }
    /// Bytes of all pieces.
    public var count: Int { pieces.reduce(0) { $0 + $1.count } }
    /// All pieces joined, for tests and explanations.
    public var joined: [UInt8] { pieces.flatMap { $0 } }
}
