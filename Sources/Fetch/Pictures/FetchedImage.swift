/// What a picture's URL gave. Whether it is a picture is for the reader of the bytes to say.
public struct FetchedImage: Sendable, Hashable {
    /// The body as it came, never decompressed.
    public var bytes: [UInt8]
    /// How many redirects led there.
    public var redirects: Int
    /// Whether the bytes came from the cache, freshly checked with the host or not.
    public var cameFromCache: Bool
}
