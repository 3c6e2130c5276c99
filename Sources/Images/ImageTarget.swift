/// What a normalised picture must look like.
public struct ImageTarget: Sendable, Hashable {
    /// Most bytes of base64 text the JPEG may take when it is sent; nil means no limit.
    public var maxBase64Bytes: Int?
    /// Longest edge in pixels; nil means no limit. Pictures are never enlarged.
    public var maxEdge: Int?
    /// JPEG quality that is tried first, 1 to 100.
    public var quality: Int
    /// Lowest JPEG quality that the search for a fitting size may reach, 1 to 100.
    public var minQuality: Int
    /// What transparent parts are laid onto.
    public var background: Background

    /// What transparent parts are laid onto.
    public enum Background: Sendable, Hashable {
        /// White; dark when the visible pixels are nearly white (mean luminance over 80 %).
        case automatic
        /// One colour for every picture.
        case colour(red: UInt8, green: UInt8, blue: UInt8)
    }

    public init(
        maxBase64Bytes: Int? = nil, maxEdge: Int? = nil, quality: Int = 85, minQuality: Int = 15,
        background: Background = .automatic
    ) {
        self.maxBase64Bytes = maxBase64Bytes
        self.maxEdge = maxEdge
        self.quality = quality
        self.minQuality = minQuality
        self.background = background
    }

    /// Most bytes of JPEG that fit the limit on base64 text; nil means no limit.
    var maxBytes: Int? {
        maxBase64Bytes.map { max($0, 0) / 4 * 3 }
    }
}
