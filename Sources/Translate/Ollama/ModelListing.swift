/// The answers of the discovery routes, with every field that some client cannot do without.
public enum ModelListing {
    /// One model in a list, with the facts that are not in the catalog.
    public struct Item: Sendable {
        public var model: ResolvedModel
        /// 64 lower-case hex digits without `sha256:`, unique and stable per model: clients cut it to twelve unchecked, and fold models that
        /// share one into aliases.
        public var digest: String
        /// RFC 3339 with `Z` and at most six fraction digits.
        public var modifiedAt: String

        public init(model: ResolvedModel, digest: String, modifiedAt: String) {
            self.model = model
            self.digest = digest
            self.modifiedAt = modifiedAt
        }
    }

    /// A model that counts as loaded.
    public struct Running: Sendable {
        public var item: Item
        /// RFC 3339 with `Z` and six fraction digits; far in the future for "forever".
        public var expiresAt: String
        /// What the client asked for, else nil for the model's own.
        public var numCtx: Int?

        public init(item: Item, expiresAt: String, numCtx: Int? = nil) {
            self.item = item
            self.expiresAt = expiresAt
            self.numCtx = numCtx
        }
    }

    /// `GET /api/version`.
    ///
    /// - Parameter version: Three dotted integers; clients compare them and some stop at anything else.
    public static func version(_ version: String) -> [UInt8] { JSONWriter.bytes(["version": .text(version)]) }

    /// `GET /api/tags`; an empty array, never null, when there is nothing.
    public static func tags(_ items: [Item]) -> [UInt8] {
        let models = items.map { item -> JSONValue in
            var entry = identity(item)
            entry["modified_at"] = .text(item.modifiedAt)
            entry["size"] = .integer(size(item.model))
            entry["digest"] = .text(item.digest)
            entry["details"] = details(item.model, withLengths: true)
            entry["capabilities"] = capabilities(item.model)
            return .object(entry)
        }
        return JSONWriter.bytes(["models": .array(models)])
    }

    /// `GET /api/ps`; an empty array, never null, when nothing counts as loaded.
    public static func ps(_ running: [Running]) -> [UInt8] {
        let models = running.map { running -> JSONValue in
            var entry = identity(running.item)
            let size = size(running.item.model)
            entry["size"] = .integer(size)
            entry["digest"] = .text(running.item.digest)
            entry["details"] = details(running.item.model, withLengths: false)
            entry["expires_at"] = .text(running.expiresAt)
            // All of it "on the GPU", or the CLI prints a share.
            entry["size_vram"] = .integer(size)
            entry["context_length"] = .integer(running.numCtx.flatMap { $0 > 0 ? $0 : nil } ?? running.item.model.contextLength)
            return .object(entry)
        }
        return JSONWriter.bytes(["models": .array(models)])
    }

    /// `GET /v1/models`.
    ///
    /// - Parameter created: Unix seconds.
    public static func openAIModels(_ items: [Item], created: Int) -> [UInt8] {
        let data = items.map { openAIEntry($0.model, id: $0.model.listedName, created: created) }
        return JSONWriter.bytes(["object": "list", "data": .array(data)])
    }

    /// `GET /v1/models/{model}`; `id` is echoed.
    public static func openAIModel(_ item: Item, id: String, created: Int) -> [UInt8] {
        JSONWriter.bytes(openAIEntry(item.model, id: id, created: created))
    }

    /// What a model's digest should be the SHA-256 of: changes when its name, upstream or abilities change.
    public static func digestSeed(_ model: ResolvedModel) -> [UInt8] {
        let able = model.capabilities
        let flags = [able.completion, able.vision, able.tools, able.thinking, able.embedding, able.insert].map { $0 ? "1" : "0" }
        let parts = [
            model.listedName, model.provider.name, model.provider.baseURL, model.upstreamID, flags.joined(), "\(model.contextLength)",
        ]
        return Array(parts.joined(separator: "\n").utf8)
    }

    private static func openAIEntry(_ model: ResolvedModel, id: String, created: Int) -> JSONValue {
        ["id": .text(id), "object": "model", "created": .integer(created), "owned_by": "library"]
    }

    private static func identity(_ item: Item) -> JSONObject {
        ["name": .text(item.model.listedName), "model": .text(item.model.listedName)]
    }

    /// Bytes on a disk that does not exist: something greater than zero, because clients read it as an unsigned number.
    private static func size(_ model: ResolvedModel) -> Int { 1 }
}

extension ModelListing {
    /// `details`: all strings present, because several clients' decoders require each.
    static func details(_ model: ResolvedModel, withLengths: Bool) -> JSONValue {
        // Older clients know a model that sees by the family of its picture encoder.
        let families: [JSONValue] = [.text(model.details.family)] + (model.capabilities.vision ? ["clip"] : [])
        var details: JSONObject = [
            "parent_model": "", "format": "gguf", "family": .text(model.details.family), "families": .array(families),
            "parameter_size": .text(model.details.parameterSize), "quantization_level": .text(model.details.quantizationLevel),
        ]
        if withLengths {
            details["context_length"] = .integer(model.contextLength)
            details["embedding_length"] = model.details.embeddingLength.map(JSONValue.integer)
        }
        return .object(details)
    }

    static func capabilities(_ model: ResolvedModel) -> JSONValue {
        let able = model.capabilities
        let words: [(Bool, JSONValue)] = [
            (able.completion, "completion"), (able.tools, "tools"), (able.vision, "vision"), (able.thinking, "thinking"),
            (able.insert, "insert"), (able.embedding, "embedding"),
        ]
        return .array(words.filter(\.0).map(\.1))
    }
}
