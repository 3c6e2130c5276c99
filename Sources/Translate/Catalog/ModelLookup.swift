/// The routes that fail differently over a name.
public enum ModelRoute: Sendable {
    case chat, generate, show, embed, embeddings, delete, pull, copySource
}

extension ModelCatalog {
    /// Like ``resolve(_:)``, with the exact failure of the route.
    ///
    /// - Throws: 400 for a missing or malformed name, 404 for an unknown one, 403 for an unlisted one of Ollama's cloud; for the routes that would ask the upstream also 502 when its
    ///   key is missing.
    public func require(_ name: String, for route: ModelRoute) throws(OllamaFailure) -> ResolvedModel {
        if name.isEmpty { throw Self.emptyName(route) }
        if name.utf8.count > ModelName.longest { throw Self.malformed(name, route) }
        if let model = resolve(name) {
            switch route {
            case .chat, .generate, .embed, .embeddings: try Self.checkKey(model)
            case .show, .delete, .pull, .copySource: break
            }
            return model
        }
        let (base, source) = ModelName.splitSource(name)
        if source != nil, ModelName.splitSource(base).source != nil {
            throw .badRequest("use either :local or :cloud, not both: \(GoText.quoted(name))")
        }
        if source == .cloud, ModelName.isWellFormed(base), let failure = Self.cloud(route) { throw failure }
        throw ModelName.isWellFormed(name) ? Self.unknown(name, route) : Self.malformed(name, route)
    }

    /// Whether a copy could be made, if copies were made here.
    ///
    /// - Throws: In Ollama's order: 400 for either malformed name, then 404 for an unknown source.
    public func checkCopy(from source: String, to destination: String) throws(OllamaFailure) {
        if resolve(source) == nil, !ModelName.isWellFormed(source) { throw Self.malformed(source, .copySource) }
        guard ModelName.isWellFormed(destination) else { throw .badRequest("destination \(GoText.quoted(destination)) is invalid") }
        _ = try require(source, for: .copySource)
    }

    private static func emptyName(_ route: ModelRoute) -> OllamaFailure {
        switch route {
        case .chat, .embeddings, .show: .modelRequired
        case .generate, .embed: .modelNotFound("")
        case .delete, .pull, .copySource: malformed("", route)
        }
    }

    private static func malformed(_ name: String, _ route: ModelRoute) -> OllamaFailure {
        switch route {
        case .delete: .badRequest("name \(GoText.quoted(name)) is invalid")
        case .copySource: .badRequest("source \(GoText.quoted(name)) is invalid")
        default: .invalidModelName
        }
    }

    private static func unknown(_ name: String, _ route: ModelRoute) -> OllamaFailure {
        switch route {
        case .chat, .generate, .delete: .modelNotFound(name)
        case .show: .modelNotFound(ModelName.canonical(name))
        case .embed, .embeddings: .modelNotPulled(name)
        case .copySource: OllamaFailure(status: 404, error: "model \(GoText.quoted(name)) not found")
        case .pull: OllamaFailure(status: 500, error: "pull model manifest: file does not exist")
        }
    }

    /// As Ollama says it with its cloud switched off, which `/api/status` says ours is.
    private static func cloud(_ route: ModelRoute) -> OllamaFailure? {
        switch route {
        case .chat, .generate, .embed, .embeddings:
            OllamaFailure(status: 403, error: "ollama cloud is disabled: remote model is unavailable")
        case .show: OllamaFailure(status: 403, error: "ollama cloud is disabled: remote model details are unavailable")
        case .delete, .pull, .copySource: nil
        }
    }

    private static func checkKey(_ model: ResolvedModel) throws(OllamaFailure) {
        if model.isUsable { return }
        let provider = model.routes.first?.provider ?? model.provider
        throw OllamaFailure(
            status: 502, error: "provider \"\(provider.name)\" has no API key", code: "MISSING_API_KEY",
            detail: "Set \(provider.missingKeyVariable ?? "its key") where this server runs.")
    }
}
