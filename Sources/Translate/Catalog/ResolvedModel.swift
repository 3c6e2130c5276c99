/// Everything the road needs to know about the model a request named.
///
/// A class, because it takes most of a kilobyte and every step of every request holds it.
public final class ResolvedModel: Sendable {
    /// The catalog's name with its tag, as lists show it.
    public let listedName: String
    /// What the upstream calls it.
    public let upstreamID: String
    public let provider: Provider
    /// The provider's, with what the entry overrides.
    public let dialect: Dialect
    public let capabilities: Capabilities
    /// Tokens.
    public let contextLength: Int
    public let images: ImageSettings
    /// More than one way to this model; empty when `provider` is the only one.
    public let routes: [Route]
    public let strategy: RoutingStrategy
    public let details: Details

    init(
        listedName: String, upstreamID: String, provider: Provider, dialect: Dialect, capabilities: Capabilities, contextLength: Int,
        images: ImageSettings, routes: [Route], strategy: RoutingStrategy, details: Details
    ) {
        self.listedName = listedName
        self.upstreamID = upstreamID
        self.provider = provider
        self.dialect = dialect
        self.capabilities = capabilities
        self.contextLength = contextLength
        self.images = images
        self.routes = routes
        self.strategy = strategy
        self.details = details
    }

    public struct Capabilities: Sendable, Equatable {
        public var completion: Bool
        public var vision: Bool
        public var tools: Bool
        public var thinking: Bool
        public var embedding: Bool
        /// Fill-in-the-middle through `/completions` with a suffix.
        public var insert: Bool
    }

    /// One way to a model that several upstreams serve.
    public struct Route: Sendable {
        public var provider: Provider
        public var upstreamID: String
        public var dialect: Dialect
        /// At least 1.
        public var weight: Int
        public var vision: Bool
        public var images: ImageSettings
    }

    /// What lists show and nothing depends on.
    public struct Details: Sendable, Equatable {
        public var family: String
        public var parameterSize: String
        public var quantizationLevel: String
        public var embeddingLength: Int?
    }

    /// Whether any of its upstreams can be asked.
    public var isUsable: Bool { routes.isEmpty ? provider.isUsable : routes.contains { $0.provider.isUsable } }

    /// This model over one of its routes.
    public func over(_ route: Route) -> ResolvedModel {
        var capabilities = capabilities
        capabilities.vision = route.vision
        return ResolvedModel(
            listedName: listedName, upstreamID: route.upstreamID, provider: route.provider, dialect: route.dialect,
            capabilities: capabilities, contextLength: contextLength, images: route.images, routes: [], strategy: strategy, details: details
        )
    }
}

/// How one of several routes is chosen.
public enum RoutingStrategy: String, Sendable, CaseIterable {
    case weighted
    case ordered
    case leastLatency = "least_latency"
}
