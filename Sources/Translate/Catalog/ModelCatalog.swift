/// The models this server offers, read from models.json.
public struct ModelCatalog: Sendable {
    /// Every named model in the order of the file, usable or not; wildcards are not among them.
    public private(set) var models: [ResolvedModel] = []
    /// Every provider that some model uses or the file names, in a stable order.
    public private(set) var providers: [Provider] = []
    /// The picture settings that hold where nothing more special does.
    public private(set) var images: ImageSettings
    /// Things the operator should know and that do not stop the start, one sentence each.
    public private(set) var warnings: [String] = []

    /// Reads either shape of models.json.
    ///
    /// - Parameters:
    ///   - file: The name to use in errors.
    ///   - environment: Where keys and base URLs of known providers come from.
    /// - Throws: What is wrong, where, and what to do about it.
    public static func parse(_ bytes: [UInt8], file: String, environment: [String: String]) throws(CatalogError) -> ModelCatalog {
        throw CatalogError(file: file, problem: "not built yet", remedy: "")
    }

    /// Finds a model by the name a client used: exact, then without `:latest`, then with it, then in any case, then by wildcard.
    public func resolve(_ name: String) -> ResolvedModel? { nil }

    /// Like ``resolve(_:)``, with the exact failure of the route.
    public func require(_ name: String, for route: ModelRoute) throws(OllamaFailure) -> ResolvedModel { throw .modelRequired }

    /// The models to list: usable, with a name Ollama's clients take, and those discovered at upstreams that a wildcard admits.
    public func listed() -> [ResolvedModel] { [] }

    /// Sets where a provider is, for the embedded demo whose port is known only when it runs.
    public mutating func setBaseURL(_ url: String, ofProvider name: String) {}

    /// Takes in what a provider's own model list says: capabilities and context lengths the file leaves open, and models that a wildcard
    /// admits. Replaces what was known of that provider.
    public mutating func setDiscovered(_ models: [DiscoveredModel], ofProvider name: String) {}
}

/// The routes that fail differently over a name.
public enum ModelRoute: Sendable {
    case chat, generate, show, embed, embeddings, delete, pull, copySource
}
