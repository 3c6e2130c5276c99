/// One entry of `models` in models.json, as written: what it leaves open stays nil.
struct ModelEntry: Sendable {
    /// The listed name, or a pattern that ends in `*`.
    var name: String
    var provider: String
    /// For a pattern, a template whose `*` takes what the name's stood for.
    var upstreamID: String
    var vision: Bool?
    var tools: Bool?
    var thinking: Bool?
    var embedding: Bool?
    var completion: Bool?
    var insert: Bool?
    var contextLength: Int?
    var images = ImagePatch()
    /// The provider's dialect with this entry's changes; nil where it makes none.
    var dialect: Dialect?
    var aliases: [String] = []
    var routes: [RouteEntry] = []
    var strategy = RoutingStrategy.weighted
    var details = ResolvedModel.Details(family: "", parameterSize: "", quantizationLevel: "", embeddingLength: nil)

    /// One of several ways to the model.
    struct RouteEntry: Sendable {
        var provider: String
        var upstreamID: String
        var weight: Int
        var vision: Bool?
    }

    var isPattern: Bool { name.hasSuffix("*") }

    /// Every provider it can go to.
    var providers: [String] { routes.isEmpty ? [provider] : routes.map(\.provider) }
}

extension ModelEntry {
    private static let keys = [
        "provider", "model", "vision", "tools", "thinking", "embedding", "completion", "insert", "context_length", "images",
        "images_without_vision", "describe_with", "dialect", "aliases", "routes", "strategy", "family", "parameter_size",
        "quantization_level", "embedding_length",
    ]

    /// The models that the flat shape, which has no word for it, is documented to send pictures to.
    private static let documentedVision: Set<String> = ["gpt-4o", "gpt-4o-mini", "gemini-2.5-flash", "gemini-2.5-flash-lite"]

    static func isDocumentedVision(_ upstreamID: String) -> Bool {
        documentedVision.contains(upstreamID.split(separator: "/").last.map(String.init) ?? upstreamID)
    }

    /// - Parameter isFlat: The older shape: unknown keys are left alone and four models count as flagged for vision.
    static func read(_ name: String, _ reader: CatalogReader, isFlat: Bool) throws(CatalogError) -> ModelEntry {
        if !isFlat { try reader.allowOnly(keys) }
        try checkName(name, reader)
        let routes = try readRoutes(name, reader)
        guard let provider = try reader.string("provider") ?? routes.first?.provider else {
            throw reader.error("provider", "is missing", "name the provider, as in \"provider\": \"openai\"")
        }
        var entry = ModelEntry(name: name, provider: provider, upstreamID: try reader.string("model") ?? routes.first?.upstreamID ?? name)
        if entry.upstreamID.isEmpty { throw reader.error("model", "is empty", "write the name the provider uses, or remove the key") }
        if entry.isPattern, !entry.upstreamID.hasSuffix("*") {
            throw reader.error(
                "model", "a name with * needs an upstream name with *", "end it in *, or remove the key to pass names as they are")
        }
        entry.routes = routes
        entry.vision = try reader.bool("vision")
        if isFlat, entry.vision == nil { entry.vision = isDocumentedVision(entry.upstreamID) }
        entry.tools = try reader.bool("tools")
        entry.thinking = try reader.bool("thinking")
        entry.embedding = try reader.bool("embedding")
        entry.completion = try reader.bool("completion")
        entry.insert = try reader.bool("insert")
        entry.contextLength = try reader.integer("context_length")
        try entry.readSettings(reader)
        return entry
    }

    private mutating func readSettings(_ reader: CatalogReader) throws(CatalogError) {
        images = try ImagePatch.read(reader.reader("images"))
        let direct = JSONObject(reader.object.members.filter { ["images_without_vision", "describe_with"].contains($0.key) })
        if let policy = try ImagePatch.read(CatalogReader(direct, entry: reader.entry, source: reader.source)).withoutVision {
            images.withoutVision = policy
        }
        for alias in try reader.array("aliases") ?? [] {
            guard let text = alias.string, !text.isEmpty else { throw reader.wrongType("aliases", alias, "names in quotes") }
            aliases.append(text)
        }
        strategy = try reader.word("strategy", RoutingStrategy.self) ?? .weighted
        details = ResolvedModel.Details(
            family: try reader.string("family") ?? "", parameterSize: try reader.string("parameter_size") ?? "",
            quantizationLevel: try reader.string("quantization_level") ?? "",
            embeddingLength: try reader.integer("embedding_length"))
    }

    private static func checkName(_ name: String, _ reader: CatalogReader) throws(CatalogError) {
        guard !name.isEmpty else { throw reader.error(nil, "a model's name is empty", "give it the name clients should use") }
        if let star = name.firstIndex(of: "*"), name.index(after: star) != name.endIndex || (name.count > 1 && !name.hasSuffix("/*")) {
            throw reader.error(nil, "* may stand only alone or after the last slash", "write \"*\" or \"vendor/*\"")
        }
    }

    private static func readRoutes(_ name: String, _ reader: CatalogReader) throws(CatalogError) -> [RouteEntry] {
        var routes: [RouteEntry] = []
        for value in try reader.array("routes") ?? [] {
            guard let object = value.object else { throw reader.wrongType("routes", value, "objects with provider, model and weight") }
            let route = CatalogReader(object, entry: reader.entry, path: "routes.", source: reader.source)
            try route.allowOnly(["provider", "model", "weight", "vision"])
            guard let provider = try route.string("provider") else {
                throw route.error("provider", "is missing", "name the provider of each route")
            }
            routes.append(
                RouteEntry(
                    provider: provider, upstreamID: try route.string("model") ?? name,
                    weight: try route.integer("weight", in: 1...1_000_000) ?? 1, vision: try route.bool("vision")))
        }
        return routes
    }
}
