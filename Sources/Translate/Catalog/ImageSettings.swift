/// How pictures for one model are made, with all inheritance done.
public struct ImageSettings: Sendable, Equatable {
    /// Pictures in one request.
    public var maxCount: Int
    /// Bytes of one picture, counted on the base64 text that is really sent.
    public var maxBytes: Int
    /// Pixels of the longer edge.
    public var maxEdge: Int
    /// A tighter edge limit when a request holds many pictures.
    public var crowd: Crowd?
    /// Bytes of the whole upstream request.
    public var maxRequestBytes: Int
    /// JPEG quality to begin with, 1–100.
    public var quality: Int
    /// The lowest quality to go to before shrinking.
    public var minQuality: Int
    public var background: Background
    /// OpenAI's `detail`: `low`, `high` or `auto`; nil omits it.
    public var detail: String?
    public var fetchTimeoutSeconds: Int
    public var concurrentFetches: Int
    public var cacheBytes: Int
    public var withoutVision: VisionPolicy

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
