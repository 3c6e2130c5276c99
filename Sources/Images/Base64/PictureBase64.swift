/// A JPEG as base64 text in pieces. What it has in common with the text that the picture came as is not written again but referred to.
public struct PictureBase64: Sendable, Hashable {
    public let head: [UInt8]
    /// A part of the client's text; holds that text for as long as it lives.
    public let shared: ArraySlice<UInt8>
    public let tail: [UInt8]

    public init(head: [UInt8], shared: ArraySlice<UInt8> = [], tail: [UInt8] = []) {
        self.head = head
        self.shared = shared
        self.tail = tail
    }

    public var count: Int { head.count + shared.count + tail.count }
    /// The text in order.
    public var pieces: [ArraySlice<UInt8>] { [head[...], shared, tail[...]].filter { !$0.isEmpty } }
}
