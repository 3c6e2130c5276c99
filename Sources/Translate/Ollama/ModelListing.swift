/// The answers of the discovery routes, with every field that some client cannot do without.
public enum ModelListing {
    /// One model in a list, with the facts that are not in the catalog.
    public struct Item: Sendable {
        public var model: ResolvedModel
        /// 64 lower-case hex digits without `sha256:`, unique and stable per model.
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

    /// `GET /api/version`: three dotted integers.
    public static func version(_ version: String) -> [UInt8] { [] }
    /// `GET /api/tags`.
    public static func tags(_ items: [Item]) -> [UInt8] { [] }
    /// `POST /api/show`. `requestedName` is what VS Code shows as the model's name.
    public static func show(_ item: Item, requestedName: String) -> [UInt8] { [] }
    /// `GET /api/ps`.
    public static func ps(_ running: [Running]) -> [UInt8] { [] }
    /// `GET /v1/models`. - Parameter created: Unix seconds.
    public static func openAIModels(_ items: [Item], created: Int) -> [UInt8] { [] }
    /// `GET /v1/models/{model}`; `id` is echoed.
    public static func openAIModel(_ item: Item, id: String, created: Int) -> [UInt8] { [] }
    /// What a model's digest should be the SHA-256 of: changes when its upstream or its capabilities change.
    public static func digestSeed(_ model: ResolvedModel) -> [UInt8] { [] }
}
