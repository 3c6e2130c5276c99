/// An upstream: where it is, how to sign in, how it differs.
public struct Provider: Sendable, Equatable {
    public var name: String
    /// Without a trailing slash; paths such as `/chat/completions` are appended. Empty for the demo until the server has started it.
    public var baseURL: String
    public var apiKey: Secret?
    /// The header the key goes in; nil for `Authorization: Bearer`.
    public var keyHeader: String?
    /// The environment variable to set when a key is needed and missing.
    public var missingKeyVariable: String?
    /// Further headers, in the file's order. Values may be secret: do not log them.
    public var headers: [Header]
    public var dialect: Dialect
    /// What holds for this provider's models unless their entry says otherwise.
    public var images: ImageSettings

    /// One header that goes with every request to the provider.
    public struct Header: Sendable, Equatable {
        public var name: String
        public var value: Secret
    }

    /// False when it needs a key that nobody gave; its models are then left out of lists.
    public var isUsable: Bool { missingKeyVariable == nil }

    /// Every header to send, the key's first if there is one.
    public var requestHeaders: [Header] {
        var all: [Header] = []
        if let apiKey {
            all.append(
                keyHeader.map { Header(name: $0, value: apiKey) } ?? Header(name: "Authorization", value: Secret("Bearer " + apiKey.value)))
        }
        return all + headers
    }
}
