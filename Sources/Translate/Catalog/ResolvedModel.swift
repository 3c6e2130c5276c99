/// Everything the road needs to know about the model a request named.
public struct ResolvedModel: Sendable, Equatable {
    /// The catalog's name with its tag, as lists show it.
    public var listedName: String
    /// What the upstream calls it.
    public var upstreamID: String
    public var provider: Provider
    /// The provider's, with what the entry overrides.
    public var dialect: Dialect
    public var capabilities: Capabilities
    /// Tokens.
    public var contextLength: Int
    public var images: ImageSettings
    /// More than one way to this model; empty when `provider` is the only one.
    public var routes: [Route]
    public var strategy: RoutingStrategy
    public var details: Details

    /// What tells a model from others, for what is kept as long as an answer runs: the whole takes most of a kilobyte.
    public struct Identity: Sendable, Equatable {
        /// As ``ResolvedModel/listedName``.
        public let listedName: String
        /// As ``ResolvedModel/upstreamID``.
        public let upstreamID: String
        public let providerName: String
    }

    public var identity: Identity { Identity(listedName: listedName, upstreamID: upstreamID, providerName: provider.name) }

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
    public struct Route: Sendable, Equatable {
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

    /// This model over one of its routes.
    public func over(_ route: Route) -> ResolvedModel {
        var model = self
        model.provider = route.provider
        model.upstreamID = route.upstreamID
        model.dialect = route.dialect
        model.images = route.images
        model.capabilities.vision = route.vision
        model.routes = []
        return model
    }
}

/// How one of several routes is chosen.
public enum RoutingStrategy: String, Sendable, CaseIterable {
    case weighted
    case ordered
    case leastLatency = "least_latency"
}
