/// How pictures for one model are made, with all inheritance done.
public struct ImageSettings: Sendable, Equatable {
    /// Pictures in one request.
    public var maxCount = 20
    /// Bytes of one picture, counted on the base64 text that is really sent. The default, 3.75 MiB, is the least any known provider takes.
    public var maxBytes = 3_932_160
    /// Pixels of the longer edge.
    public var maxEdge = 2048
    /// A tighter edge limit when a request holds many pictures.
    public var crowd: Crowd?
    /// Bytes of the whole upstream request.
    public var maxRequestBytes = 20_000_000
    /// JPEG quality to begin with, 1–100.
    public var quality = 85
    /// The lowest quality to go to before shrinking.
    public var minQuality = 15
    public var background = Background.automatic
    /// OpenAI's `detail`: `low`, `high` or `auto`; nil omits it.
    public var detail: String?
    public var fetchTimeoutSeconds = 30
    public var concurrentFetches = 10
    public var cacheBytes = 256_000_000
    public var withoutVision = VisionPolicy.reject

    public init() {}

    /// More pictures than `count` may each be at most `maxEdge` pixels.
    public struct Crowd: Sendable, Equatable {
        public var count: Int
        public var maxEdge: Int
    }

    /// What shows through transparency.
    public enum Background: Sendable, Equatable {
        /// White, or dark when the visible pixels are nearly white.
        case automatic
        case color(red: UInt8, green: UInt8, blue: UInt8)
    }

    /// What happens to pictures for a model that sees none.
    public enum VisionPolicy: Sendable, Equatable {
        /// An error in the newest turn, a notice in earlier ones.
        case reject
        /// A notice everywhere.
        case notice
        /// A caption by the named model, a listed one with vision.
        case describe(with: String)
    }
}

/// What a provider itself takes, by dialect. Hard limits of somebody else: the operator's general settings may tighten them, only an entry
/// of the provider or model may loosen them.
extension ImageSettings {
    /// The safe defaults with the provider's facts in their place; nil for providers nothing is known about.
    static func preset(dialect name: String) -> ImageSettings? {
        var settings = ImageSettings()
        switch name {
        case "openai", "azure":
            // Tile models look at no more than 2,048 pixels of the long edge.
            settings.maxBytes = 20_000_000
            settings.maxRequestBytes = 50_000_000
            settings.maxCount = name == "azure" ? 50 : 500
        case "anthropic":
            settings.maxBytes = 5_242_880
            settings.maxEdge = 8000
            settings.crowd = Crowd(count: 20, maxEdge: 2000)
            settings.maxRequestBytes = 30_000_000
            settings.maxCount = 100
        case "bedrock":
            settings.maxBytes = 3_750_000
            settings.maxEdge = 8000
            settings.crowd = Crowd(count: 20, maxEdge: 2000)
        case "google":
            settings.maxBytes = 7_000_000
            settings.maxEdge = 3072
            settings.maxCount = 500
        case "demo":
            // Takes what comes, so that a newcomer sees the picture's own size in the answer.
            settings.maxBytes = 20_000_000
            settings.maxEdge = 16_384
        default: return nil
        }
        return settings
    }
}

/// One `images` object of models.json: only what it names.
struct ImagePatch: Sendable, Equatable {
    var maxCount: Int?
    var maxBytes: Int?
    var maxEdge: Int?
    var maxRequestBytes: Int?
    var quality: Int?
    var minQuality: Int?
    var background: ImageSettings.Background?
    var detail: String?
    var fetchTimeoutSeconds: Int?
    var concurrentFetches: Int?
    var cacheBytes: Int?
    var withoutVision: ImageSettings.VisionPolicy?

    /// Settings of the provider or model: what is named replaces what was inherited.
    func apply(to settings: inout ImageSettings) {
        if let maxCount { settings.maxCount = maxCount }
        if let maxBytes { settings.maxBytes = maxBytes }
        if let maxEdge {
            settings.maxEdge = maxEdge
            settings.crowd = nil
        }
        if let maxRequestBytes { settings.maxRequestBytes = maxRequestBytes }
        if let quality { settings.quality = quality }
        if let minQuality { settings.minQuality = min(minQuality, settings.quality) }
        if let background { settings.background = background }
        if let detail { settings.detail = detail }
        if let fetchTimeoutSeconds { settings.fetchTimeoutSeconds = fetchTimeoutSeconds }
        if let concurrentFetches { settings.concurrentFetches = concurrentFetches }
        if let cacheBytes { settings.cacheBytes = cacheBytes }
        if let withoutVision { settings.withoutVision = withoutVision }
        settings.minQuality = min(settings.minQuality, settings.quality)
    }

    /// The settings for all: a provider's own limit stays where it is the tighter one.
    ///
    /// - Parameter preset: nil for providers nothing is known about, where the operator's word is all there is. A known request limit
    ///   is capped by 20 MB unless this patch names another.
    func applyGenerally(to preset: ImageSettings?) -> ImageSettings {
        var settings = preset ?? ImageSettings()
        guard let provider = preset else {
            apply(to: &settings)
            return settings
        }
        var patch = self
        patch.maxCount = maxCount.map { min($0, provider.maxCount) }
        patch.maxBytes = maxBytes.map { min($0, provider.maxBytes) }
        patch.maxEdge = maxEdge.map { min($0, provider.maxEdge) }
        patch.maxRequestBytes = min(maxRequestBytes ?? ImageSettings().maxRequestBytes, provider.maxRequestBytes)
        let crowd = settings.crowd
        patch.apply(to: &settings)
        settings.crowd = crowd
        return settings
    }
}
