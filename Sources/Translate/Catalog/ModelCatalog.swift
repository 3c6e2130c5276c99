/// The models this server offers, read from models.json.
public struct ModelCatalog: Sendable {
    /// Every named model in the order of the file, usable or not; wildcards are not among them.
    public private(set) var models: [ResolvedModel] = []
    /// Every provider that some model uses or the file names, in a stable order.
    public private(set) var providers: [Provider]
    /// The picture settings that hold where nothing more special does.
    public let images: ImageSettings
    /// Things the operator should know and that do not stop the start, one sentence each.
    public private(set) var warnings: [String] = []

    private let entries: [ModelEntry]
    private let patterns: [ModelEntry]
    /// Tokens to advertise, whatever anybody else says.
    private let contextLength: Int?
    /// Names and aliases as written, to positions in `models`.
    private var exact: [String: Int] = [:]
    /// The same without `:latest` in lower case.
    private var folded: [String: Int] = [:]
    private var discovered: [String: DiscoveredModels] = [:]
    /// Models that only an upstream's list names and a wildcard admits, by lower-case name without `:latest`.
    private var admitted: [ResolvedModel] = []
    private var admittedIndex: [String: Int] = [:]

    /// Reads either shape of models.json.
    ///
    /// - Parameters:
    ///   - file: The name to use in errors.
    ///   - environment: Where keys and base URLs of known providers come from.
    /// - Throws: What is wrong, where, and what to do about it.
    public static func parse(_ bytes: [UInt8], file: String, environment: [String: String]) throws(CatalogError) -> ModelCatalog {
        ModelCatalog(try CatalogFile.read(bytes, file: file, environment: environment), environment: environment)
    }

    private init(_ file: CatalogFile, environment: [String: String]) {
        providers = file.providers
        entries = file.entries.filter { !$0.isPattern }
        patterns = file.entries.filter(\.isPattern).sorted { $0.name.utf8.count > $1.name.utf8.count }
        images = file.general.applyGenerally(to: nil)
        contextLength = environment["OLLAMA_CONTEXT_LENGTH"].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
        for (index, entry) in entries.enumerated() {
            register(entry.name, index)
            register(ModelName.listable(entry.name), index)
            for alias in entry.aliases { register(alias, index) }
        }
        for (alias, name) in file.aliases { folded[Self.fold(name)].map { register(alias, $0) } }
        rebuild()
        warnings = findWarnings()
    }

    private static func fold(_ name: String) -> String { ModelName.untagged(name).lowercased() }

    private mutating func register(_ name: String, _ index: Int) {
        if exact[name] == nil { exact[name] = index }
        if folded[Self.fold(name)] == nil { folded[Self.fold(name)] = index }
    }

    /// Finds a model by the name a client used: exact, then without `:latest`, then with it, then in any case; then among what upstreams
    /// list, then without `:local`, which every model here is, then without Ollama's registry, then by wildcard.
    public func resolve(_ name: String) -> ResolvedModel? {
        guard (1...ModelName.longest).contains(name.utf8.count) else { return nil }
        if let model = named(name) { return model }
        let (base, source) = ModelName.splitSource(name)
        if source != nil, ModelName.splitSource(base).source != nil { return nil }
        if source == .local { return resolve(base) }
        return ModelName.withoutRegistry(name).flatMap(named) ?? matched(ModelName.untagged(name))
    }

    private func named(_ name: String) -> ResolvedModel? {
        if let index = exact[name] { return models[index] }
        let bare = ModelName.untagged(name)
        if let index = exact[bare] ?? exact[name + ":latest"] ?? folded[bare.lowercased()] { return models[index] }
        return admittedIndex[bare.lowercased()].map { admitted[$0] }
    }

    /// What a wildcard makes of a name.
    private func matched(_ name: String) -> ResolvedModel? {
        for pattern in patterns where ModelName.isPlausible(name) {
            let prefix = pattern.name.dropLast()
            guard name.lowercased().hasPrefix(prefix.lowercased()), name.utf8.count > prefix.utf8.count else { continue }
            return compose(pattern, name: name, upstreamID: Self.fill(pattern.upstreamID, name.dropFirst(prefix.count)))
        }
        return nil
    }

    /// The models to list: usable, with a name Ollama's clients take for a local one, and those discovered at upstreams that a wildcard
    /// admits.
    public func listed() -> [ResolvedModel] {
        (models + admitted).filter { $0.isUsable && !ModelName.looksRemote($0.listedName) }
    }

    /// Sets where a provider is, for the embedded demo whose port is known only when it runs.
    public mutating func setBaseURL(_ url: String, ofProvider name: String) {
        guard let index = providers.firstIndex(where: { $0.name == name }) else { return }
        providers[index] = providers[index].at(url)
        rebuild()
    }

    /// Takes in what a provider's own model list says: context lengths and abilities the file leaves open, and models that a wildcard
    /// admits. Replaces what was known of that provider.
    public mutating func setDiscovered(_ models: [DiscoveredModel], ofProvider name: String) {
        discovered[name] = DiscoveredModels(models)
        rebuild()
    }

    /// Takes over what providers said of their models, for a catalog that replaces another.
    public mutating func keepDiscovered(from old: ModelCatalog) {
        discovered = old.discovered
        rebuild()
    }

    /// Whether anything in the file asks for this provider's own list.
    public func wantsDiscovery(ofProvider name: String) -> Bool {
        (entries + patterns).contains { $0.provider == name && ($0.isPattern || $0.contextLength == nil) }
    }
}

extension ModelCatalog {
    private mutating func rebuild() {
        models = entries.map { compose($0, name: $0.name, upstreamID: $0.upstreamID) }
        admitted = []
        admittedIndex = [:]
        for pattern in patterns {
            let template = pattern.upstreamID.dropLast()
            for model in discovered[pattern.provider]?.all ?? [] where model.id.hasPrefix(template) && model.isForText {
                let name = ModelName.listable(Self.fill(pattern.name, model.id.dropFirst(template.count)))
                let key = Self.fold(name)
                guard folded[key] == nil, admittedIndex[key] == nil else { continue }
                admittedIndex[key] = admitted.count
                admitted.append(compose(pattern, name: name, upstreamID: model.id))
            }
        }
    }

    /// A pattern with its `*` replaced.
    private static func fill(_ pattern: String, _ stem: Substring) -> String { String(pattern.dropLast()) + String(stem) }

    /// An entry with everything it inherits.
    private func compose(_ entry: ModelEntry, name: String, upstreamID: String) -> ResolvedModel {
        let provider =
            providers.first { $0.name == entry.provider }
            ?? Provider(name: entry.provider, baseURL: "", dialect: .generic, images: images)
        let known = discovered[entry.provider]?[upstreamID]
        var images = provider.images
        entry.images.apply(to: &images)
        // An entry that names the model is the only word on its sight; a wildcard names none, so there the upstream's list may tell.
        let vision = entry.vision ?? (entry.isPattern ? known?.vision ?? ModelEntry.isDocumentedVision(upstreamID) : false)
        let embedding = entry.embedding ?? known?.embedding ?? false
        var details = entry.details
        if details.family.isEmpty { details.family = Self.family(of: upstreamID) }
        let routes = entry.routes.compactMap { route in compose(route, of: entry, vision: vision) }
        // Pictures go to the members that see them.
        let capabilities = ResolvedModel.Capabilities(
            completion: entry.completion ?? !embedding, vision: vision || routes.contains(where: \.vision),
            tools: entry.tools ?? (!embedding && known?.tools ?? true),
            thinking: entry.thinking ?? known?.thinking ?? false, embedding: embedding, insert: entry.insert ?? false)
        return ResolvedModel(
            listedName: ModelName.tagged(ModelName.listable(name)), upstreamID: upstreamID, provider: provider,
            dialect: entry.dialect ?? provider.dialect, capabilities: capabilities,
            contextLength: contextLength ?? entry.contextLength ?? known?.contextLength ?? 131_072, images: images, routes: routes,
            strategy: entry.strategy, details: details)
    }

    private func compose(_ route: ModelEntry.RouteEntry, of entry: ModelEntry, vision: Bool) -> ResolvedModel.Route? {
        guard let provider = providers.first(where: { $0.name == route.provider }) else { return nil }
        var images = provider.images
        entry.images.apply(to: &images)
        let dialect = route.provider == entry.provider ? entry.dialect ?? provider.dialect : provider.dialect
        return ResolvedModel.Route(
            provider: provider, upstreamID: route.upstreamID, dialect: dialect, weight: route.weight, vision: route.vision ?? vision,
            images: images)
    }

    /// The letters a model's id begins with, as in `gpt`, `gemini`, `llama`: what Ollama calls family and architecture.
    private static func family(of upstreamID: String) -> String {
        let last = upstreamID.split(separator: "/").last ?? ""
        let letters = last.lowercased().prefix { $0.isASCII && $0.isLetter }
        return letters.isEmpty ? "model" : String(letters)
    }

    private func findWarnings() -> [String] {
        var warnings: [String] = []
        for model in models where ModelName.looksRemote(model.listedName) {
            warnings.append(
                "Model \"\(model.listedName)\" is not listed, because Ollama's clients take names ending in \"cloud\" for remote ones: rename it."
            )
        }
        return warnings
    }
}
