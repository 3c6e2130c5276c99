/// models.json as read: entries and providers, before anything is resolved.
struct CatalogFile: Sendable {
    var entries: [ModelEntry] = []
    var providers: [Provider] = []
    var general = ImagePatch()
    /// Alias to listed name.
    var aliases: [(alias: String, name: String)] = []

    static func read(_ bytes: [UInt8], file: String, environment: [String: String]) throws(CatalogError) -> CatalogFile {
        let bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
        let source = CatalogSource(file: file, bytes: bytes)
        let root = CatalogReader(try parse(bytes, source), source: source)
        var catalog = CatalogFile()
        if isFlat(root.object) {
            try catalog.readModels(root, isFlat: true)
        } else {
            let keys = ["providers", "models", "images", "aliases"]
            try root.allowOnly(keys)
            for key in keys where root.object.members.count(where: { $0.key == key }) > 1 {
                throw root.error(key, "is there twice", "put what both hold into one")
            }
            catalog.general = try ImagePatch.read(root.reader("images"))
            guard let models = try root.reader("models") else {
                throw root.error(nil, "there is no \"models\"", "add an object \"models\" with one entry per model")
            }
            try catalog.readModels(CatalogReader(models.object, source: source), isFlat: false)
            try catalog.readAliases(root)
        }
        try catalog.readProviders(root, environment)
        try catalog.check(root)
        return catalog
    }

    private static func parse(_ bytes: [UInt8], _ source: CatalogSource) throws(CatalogError) -> JSONObject {
        let json: JSONValue
        do {
            json = try JSONParser.parseFile(bytes)
        } catch {
            if error == .empty {
                throw CatalogError(file: source.file, problem: "the file is empty", remedy: "write {\"models\": {…}}, or remove the file")
            }
            let line = JSONParser.failureOffset(in: bytes).map(source.line(at:))
            throw CatalogError(
                file: source.file, line: line, problem: "this is no JSON: \(error.message)",
                remedy: "look for a missing comma, quote or bracket here or on the line before")
        }
        guard let object = json.object else {
            throw CatalogError(
                file: source.file, problem: "the file holds \(CatalogReader.described(json)), not an object",
                remedy: "begin with { and end with }")
        }
        return object
    }

    /// The older shape has models at the top: none of the words of the full one, or each of them used as a model's name.
    private static func isFlat(_ root: JSONObject) -> Bool {
        let words = ["providers", "models", "images", "aliases"].compactMap { root[$0] }
        if words.isEmpty { return !root.members.isEmpty }
        return words.allSatisfy { $0.object?["provider"]?.string != nil }
    }

    private mutating func readModels(_ models: CatalogReader, isFlat: Bool) throws(CatalogError) {
        var seen: Set<String> = []
        for member in models.object.members where !(isFlat && Self.isComment(member)) {
            let place = "model \"\(member.key)\""
            guard let object = member.value.object else {
                throw CatalogReader(JSONObject(), entry: place, source: models.source).error(
                    nil, "is \(CatalogReader.described(member.value))",
                    "use an object, as in {\"provider\": \"openai\", \"model\": \"\(member.key)\"}")
            }
            let reader = CatalogReader(object, entry: place, source: models.source)
            guard seen.insert(ModelName.untagged(member.key).lowercased()).inserted else {
                throw reader.error(nil, "is there twice", "remove one of the two; names differ neither by case nor by \":latest\"")
            }
            entries.append(try ModelEntry.read(member.key, reader, isFlat: isFlat))
        }
        guard !entries.isEmpty else {
            throw models.error(nil, "\"models\" lists no model", "add at least one, as in \"gpt-4o\": {\"provider\": \"openai\"}")
        }
    }

    /// What no flat file has as a model's name.
    private static func isComment(_ member: JSONObject.Member) -> Bool {
        member.key.hasPrefix("$") || (member.key.hasPrefix("_") && member.value.object == nil)
    }

    private mutating func readAliases(_ root: CatalogReader) throws(CatalogError) {
        guard let reader = try root.reader("aliases") else { return }
        for member in reader.object.members {
            guard let name = member.value.string else { throw reader.wrongType(member.key, member.value, "the name of a model") }
            aliases.append((member.key, name))
        }
    }

    private mutating func readProviders(_ root: CatalogReader, _ environment: [String: String]) throws(CatalogError) {
        let table = try Self.isFlat(root.object) ? nil : root.reader("providers")
        for member in table?.object.members ?? [] {
            let place = "provider \"\(member.key)\""
            guard let object = member.value.object else {
                throw CatalogReader(JSONObject(), entry: place, source: root.source).error(
                    nil, "is \(CatalogReader.described(member.value))", "use an object with \"base_url\"")
            }
            let entry = CatalogReader(object, entry: place, source: root.source)
            providers.removeAll { $0.name == member.key }
            providers.append(
                try Provider.read(member.key, entry: entry, general: general, environment: environment, fallback: entry))
        }
        for model in entries {
            let reader = CatalogReader(JSONObject(), entry: "model \"\(model.name)\"", source: root.source)
            for name in model.providers where !providers.contains(where: { $0.name == name }) {
                guard KnownProvider.named(name) != nil else {
                    let names = providers.map(\.name) + KnownProvider.all.map(\.name)
                    let guess = CatalogReader.nearest(to: name, among: names)
                    throw reader.error(
                        "provider", "unknown provider \"\(name)\"",
                        (guess.map { "write \"\($0)\" if that is meant, or " } ?? "")
                            + "add \"\(name)\" with its base_url under \"providers\"")
                }
                providers.append(
                    try Provider.read(name, entry: nil, general: general, environment: environment, fallback: reader))
            }
        }
        try readModelDialects(root)
    }

    /// A model's own dialect changes start from its provider's.
    private mutating func readModelDialects(_ root: CatalogReader) throws(CatalogError) {
        guard !Self.isFlat(root.object), let models = try root.reader("models") else { return }
        for index in entries.indices {
            guard let object = models.object[entries[index].name]?.object, object["dialect"] != nil,
                var dialect = providers.first(where: { $0.name == entries[index].provider })?.dialect
            else { continue }
            let reader = CatalogReader(object, entry: "model \"\(entries[index].name)\"", source: root.source)
            try dialect.apply(reader, key: "dialect")
            entries[index].dialect = dialect
        }
    }

    /// What needs the whole file: aliases and captioners must lead to a model.
    private func check(_ root: CatalogReader) throws(CatalogError) {
        let names = Set(entries.map { ModelName.untagged($0.name).lowercased() })
        let hasWildcard = entries.contains(where: \.isPattern)
        for (alias, name) in aliases where !names.contains(ModelName.untagged(name).lowercased()) && !hasWildcard {
            throw CatalogReader(JSONObject(), entry: nil, path: "aliases.", source: root.source).error(
                alias, "there is no model \"\(name)\"", "name a model listed under \"models\"")
        }
        var policies: [(entry: String?, policy: ImageSettings.VisionPolicy?)] = [(nil, general.withoutVision)]
        policies += providers.map { ("provider \"\($0.name)\"", $0.images.withoutVision) }
        policies += entries.map { ("model \"\($0.name)\"", $0.images.withoutVision) }
        for (entry, policy) in policies {
            guard case .describe(let captioner) = policy else { continue }
            let wanted = ModelName.untagged(captioner).lowercased()
            let found = entries.first { ModelName.untagged($0.name).lowercased() == wanted }
            if found?.vision == true || (found == nil && hasWildcard) { continue }
            let reader = CatalogReader(JSONObject(), entry: entry, source: root.source)
            throw reader.error(
                "describe_with", found == nil ? "there is no model \"\(captioner)\"" : "\"\(captioner)\" is not flagged for vision",
                found == nil ? "name a model listed under \"models\"" : "add \"vision\": true to its entry, or name another model")
        }
    }
}
