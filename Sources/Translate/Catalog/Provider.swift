/// An upstream: where it is, how to sign in, how it differs.
public final class Provider: Sendable {
    public let name: String
    /// Without a trailing slash; paths such as `/chat/completions` are appended. Empty for the demo until the server has started it.
    public let baseURL: String
    /// The environment variable to set when a key is needed and missing.
    public let missingKeyVariable: String?
    /// Every header to send, the key's first if there is one. Values may be secret: do not log them.
    public let requestHeaders: [Header]
    private let hidden: [Secret]
    public let dialect: Dialect
    /// What holds for this provider's models unless their entry says otherwise.
    public let images: ImageSettings

    /// One header that goes with every request to the provider.
    public struct Header: Sendable, Equatable {
        public var name: String
        public var value: Secret
    }

    /// How requests to a provider are signed.
    struct Key {
        var secret: Secret?
        /// The header it goes in; nil for `Authorization: Bearer`.
        var header: String?
        /// As ``Provider/missingKeyVariable``.
        var missingVariable: String?
    }

    /// - Parameter headers: Further headers, in the file's order.
    init(name: String, baseURL: String, key: Key = Key(), headers: [Header] = [], dialect: Dialect, images: ImageSettings) {
        self.name = name
        self.baseURL = baseURL
        missingKeyVariable = key.missingVariable
        let signing = key.secret.map { secret in
            key.header.map { Header(name: $0, value: secret) } ?? Header(name: "Authorization", value: Secret("Bearer " + secret.value))
        }
        requestHeaders = (signing.map { [$0] } ?? []) + headers
        let told = (key.secret.map { [$0] } ?? []) + headers.map(\.value)
        hidden = told + (told + requestHeaders.map(\.value)).map(\.inBase64)
        self.dialect = dialect
        self.images = images
    }

    private init(_ other: Provider, baseURL: String) {
        name = other.name
        self.baseURL = baseURL
        missingKeyVariable = other.missingKeyVariable
        requestHeaders = other.requestHeaders
        hidden = other.hidden
        dialect = other.dialect
        images = other.images
    }

    /// The same somewhere else.
    func at(_ baseURL: String) -> Provider { Provider(self, baseURL: baseURL) }

    /// What must never be repeated to a client, should the upstream quote it.
    public var secrets: [String] { hidden.map(\.value) }

    /// False when it needs a key that nobody gave; its models are then left out of lists.
    public var isUsable: Bool { missingKeyVariable == nil }
}
