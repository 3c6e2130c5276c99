/// What the mapping of an upstream's errors needs to know of the request.
public struct FailureContext: Sendable {
    /// The model's name as the client wrote it.
    public var model: String
    /// Whether pictures went upstream, so that a complaint about pictures means "no vision".
    public var requestHadImages = false
    /// Whether tools went upstream.
    public var requestHadTools = false
    /// Whether vectors were asked for, not an answer.
    public var isEmbedding = false
    /// Texts that must not reach a client or a log, such as the upstream's key.
    public var secrets: [String] = []

    /// - Parameter model: The model's name as the client wrote it.
    public init(model: String) { self.model = model }
}

/// Why an exchange with an upstream failed below HTTP.
public enum TransportProblem: Sendable, Equatable {
    /// The host's name has no address.
    case couldNotResolve
    /// No connection could be made.
    case couldNotConnect
    /// The upstream could not prove who it is, or TLS failed otherwise.
    case tls
    /// The address may not be dialled.
    case addressRefused
    /// Nothing came within the limit for connecting or for the first byte.
    case timedOut
    /// The answer began and then nothing came within the idle limit.
    case fellSilent
    /// The answer is larger than is taken.
    case tooLarge
    /// The connection ended before the answer did.
    case closedEarly
    /// What came is not HTTP as it should be.
    case protocolError
    /// The base URL or a header is not one that can be used: a mistake in the configuration.
    case badRequest
}
