extension ImagePatch {
    static let keys = [
        "max_count", "max_bytes", "max_edge", "max_request_bytes", "quality", "min_quality", "background", "detail",
        "fetch_timeout_seconds", "concurrent_fetches", "cache_bytes", "images_without_vision", "describe_with",
    ]

    /// Reads an `images` object; nil reads as one that names nothing.
    static func read(_ reader: CatalogReader?) throws(CatalogError) -> ImagePatch {
        var patch = ImagePatch()
        guard let reader else { return patch }
        try reader.allowOnly(keys)
        patch.maxCount = try reader.integer("max_count")
        patch.maxBytes = try reader.integer("max_bytes", in: 1024...Int.max)
        patch.maxEdge = try reader.integer("max_edge", in: 16...16_384)
        patch.maxRequestBytes = try reader.integer("max_request_bytes", in: 4096...Int.max)
        patch.quality = try reader.integer("quality", in: 1...100)
        patch.minQuality = try reader.integer("min_quality", in: 1...100)
        patch.background = try background(reader)
        patch.detail = try reader.word("detail", Detail.self)?.rawValue
        patch.fetchTimeoutSeconds = try reader.integer("fetch_timeout_seconds", in: 1...600)
        patch.concurrentFetches = try reader.integer("concurrent_fetches", in: 1...1000)
        patch.cacheBytes = try reader.integer("cache_bytes", in: 0...Int.max)
        patch.withoutVision = try policy(reader)
        return patch
    }

    private enum Detail: String, CaseIterable { case low, high, auto }
    private enum Policy: String, CaseIterable { case reject, notice, describe }

    private static func policy(_ reader: CatalogReader) throws(CatalogError) -> ImageSettings.VisionPolicy? {
        let captioner = try reader.string("describe_with")
        switch try reader.word("images_without_vision", Policy.self) {
        case nil: return nil
        case .reject: return .reject
        case .notice: return .notice
        case .describe:
            guard let captioner else {
                throw reader.error(
                    "images_without_vision", "\"describe\" needs a model that writes the captions",
                    "add \"describe_with\" with the name of a listed vision model beside it")
            }
            return .describe(with: captioner)
        }
    }

    /// `auto`, `white`, `black` or `#rrggbb`.
    private static func background(_ reader: CatalogReader) throws(CatalogError) -> ImageSettings.Background? {
        switch try reader.string("background") {
        case nil: return nil
        case "auto", "automatic": return .automatic
        case "white": return .color(red: 255, green: 255, blue: 255)
        case "black": return .color(red: 0, green: 0, blue: 0)
        case .some(let text):
            guard text.utf8.count == 7, text.hasPrefix("#"), let value = UInt32(text.dropFirst(), radix: 16) else {
                throw reader.error("background", "unknown colour \"\(text)\"", "use \"auto\", \"white\", \"black\" or \"#rrggbb\"")
            }
            return .color(red: UInt8(value >> 16), green: UInt8(value >> 8 & 0xFF), blue: UInt8(value & 0xFF))
        }
    }
}

extension Dialect {
    private static let keys = [
        "base", "max_tokens_field", "stream_usage", "sampling_on_reasoning", "max_temperature", "extensions", "seed_field", "penalties",
        "max_stop", "logprobs", "think", "effort_off", "effort_on", "effort_max", "json_schema", "json_object", "empty_content", "system",
        "developer_role", "tool_ids", "reasoning_echo", "tool_result_names", "completions", "completions_format", "alternating_roles",
        "tool_history_needs_tools", "tool_extra_content", "reasoning_details", "think_tags", "image_detail", "embedding_batch",
        "embedding_options",
    ]

    /// Takes over what an entry says: the name of a preset, or an object with switches and perhaps a `base` preset.
    mutating func apply(_ entry: CatalogReader?, key: String) throws(CatalogError) {
        guard let entry, let value = entry.value(key) else { return }
        if let name = value.string {
            self = try Self.named(name, entry, key)
            return
        }
        guard let reader = try entry.reader(key) else { return }
        try reader.allowOnly(Self.keys)
        if let base = try reader.string("base") { self = try Self.named(base, reader, "base") }
        try applySwitches(reader)
    }

    private static func named(_ name: String, _ reader: CatalogReader, _ key: String) throws(CatalogError) -> Dialect {
        guard let dialect = preset(name) else {
            throw reader.error(key, "unknown dialect \"\(name)\"", "use \(CatalogReader.choices(names))")
        }
        return dialect
    }

    private mutating func applySwitches(_ reader: CatalogReader) throws(CatalogError) {
        if let value = try reader.string("max_tokens_field") { maxTokensField = value }
        if let value = try reader.bool("stream_usage") { streamUsage = value }
        if let value = try reader.bool("sampling_on_reasoning") { samplingOnReasoning = value }
        if let value = try reader.number("max_temperature") { maxTemperature = value }
        if let extensions = try reader.reader("extensions") {
            self.extensions = [:]
            for member in extensions.object.members {
                guard let field = member.value.string else { throw extensions.wrongType(member.key, member.value, "a string") }
                self.extensions[member.key] = field
            }
        }
        if let value = try reader.string("seed_field") { seedField = value.isEmpty ? nil : value }
        if let value = try reader.bool("penalties") { penalties = value }
        if let value = try reader.integer("max_stop", in: 0...1000) { maxStop = value }
        if let value = try reader.bool("logprobs") { logprobs = value }
        if let value = try reader.word("think", ThinkStyle.self) { think = value }
        if let value = try reader.string("effort_off") { effortOff = value.isEmpty ? nil : value }
        if let value = try reader.string("effort_on") { effortOn = value.isEmpty ? nil : value }
        if let value = try reader.string("effort_max") { effortMax = value }
        if let value = try reader.bool("json_schema") { jsonSchema = value }
        if let value = try reader.bool("json_object") { jsonObject = value }
        if let value = try reader.word("empty_content", EmptyContent.self) { emptyContent = value }
        if let value = try reader.word("system", SystemPlacement.self) { system = value }
        if let value = try reader.bool("developer_role") { developerRole = value }
        if let value = try reader.word("tool_ids", ToolIDForm.self) { toolIDs = value }
        if let value = try reader.word("reasoning_echo", ReasoningEcho.self) { reasoningEcho = value }
        if let value = try reader.bool("tool_result_names") { toolResultNames = value }
        if let value = try reader.bool("completions") { completions = value }
        if let value = try reader.bool("completions_format") { completionsFormat = value }
        if let value = try reader.bool("alternating_roles") { alternatingRoles = value }
        if let value = try reader.bool("tool_history_needs_tools") { toolHistoryNeedsTools = value }
        if let value = try reader.bool("tool_extra_content") { toolExtraContent = value }
        if let value = try reader.bool("reasoning_details") { reasoningDetails = value }
        switch reader.value("think_tags") {
        case nil: break
        case .bool(let isSplit)?: thinkTags = isSplit ? .split : .none
        case "opened"?: thinkTags = .splitOpened
        case let value?: throw reader.wrongType("think_tags", value, "true, false or \"opened\"")
        }
        if let value = try reader.bool("image_detail") { imageDetail = value }
        if let value = try reader.integer("embedding_batch", in: 1...100_000) { embeddingBatch = value }
        if let value = try reader.bool("embedding_options") { embeddingOptions = value }
    }
}
