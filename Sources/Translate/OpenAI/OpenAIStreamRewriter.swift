/// Passes an upstream's `/v1` answer through, with the model's name as the client asked for it.
///
/// Server-sent events go on line by line as they come; a JSON body goes on at its end.
public struct OpenAIStreamRewriter: Sendable {
    /// - Parameters:
    ///   - model: The name the client asked for.
    ///   - mirrorsReasoning: Whether `reasoning_content` and `reasoning` are each sent under the other's name too.
    public init(model: String, mirrorsReasoning: Bool = true) {}

    /// Notes what the upstream says its body is. The body's first byte counts for more.
    public mutating func begin(contentType: String?) {}

    /// Takes the next bytes and appends what can go on.
    ///
    /// - Throws: If one line or a JSON body is larger than is taken.
    public mutating func push(_ bytes: Span<UInt8>, into output: inout [UInt8]) throws(OllamaFailure) {}

    /// Takes the next bytes and appends what can go on.
    public mutating func push(_ bytes: [UInt8], into output: inout [UInt8]) throws(OllamaFailure) {
        try push(bytes.span, into: &output)
    }

    /// Takes the end of the upstream's body and appends what is left.
    public mutating func finish(into output: inout [UInt8]) throws(OllamaFailure) {}
}
