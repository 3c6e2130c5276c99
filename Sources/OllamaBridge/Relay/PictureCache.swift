import Crypto
import Images
import Synchronization

/// A picture as it is sent: base64 of a true JPEG, and what was done to get it.
struct PreparedPicture: Sendable {
    let base64: [UInt8]
    let report: ImageReport
    /// SHA-256 of the bytes the client gave, for audit and for telling pictures apart; never of use to rebuild them.
    let digest: PictureDigest
}

/// SHA-256 of a picture's encoded bytes.
struct PictureDigest: Sendable, Hashable, CustomStringConvertible {
    private let bytes: [UInt8]

    init(of picture: [UInt8]) { bytes = Array(SHA256.hash(data: picture)) }

    var description: String { Hexadecimal.text(bytes) }
}

/// Keeps converted pictures by content, so that the tenth turn of a chat converts nothing again and the upstream sees an identical prefix.
final class PictureCache: Sendable {
    struct Key: Hashable, Sendable {
        let digest: PictureDigest
        let target: ImageTarget
    }

    private struct Entry {
        let picture: PreparedPicture
        var lastUse: UInt64
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        /// The pictures that texts seen before turned out to be.
        var texts: [PictureTextTag: PictureDigest] = [:]
        var bytes = 0
        var uses: UInt64 = 0
        var hits = 0
        var misses = 0
    }

    private let limit: Int
    private let tags = PictureTextTags()
    private let state = Mutex(State())

    /// - Parameter limit: Most bytes of base64 kept; 0 keeps nothing.
    init(limit: Int) { self.limit = limit }

    func picture(_ key: Key) -> PreparedPicture? {
        state.withLock { state in
            state.uses += 1
            guard state.entries[key] != nil else {
                state.misses += 1
                return nil
            }
            state.hits += 1
            state.entries[key]?.lastUse = state.uses
            return state.entries[key]?.picture
        }
    }

    func store(_ picture: PreparedPicture, for key: Key) {
        guard picture.base64.count <= limit else { return }
        state.withLock { state in
            state.uses += 1
            if let old = state.entries.updateValue(Entry(picture: picture, lastUse: state.uses), forKey: key) {
                state.bytes -= old.picture.base64.count
            }
            state.bytes += picture.base64.count
            while state.bytes > limit, let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
                state.entries[oldest.key] = nil
                state.bytes -= oldest.value.picture.base64.count
            }
        }
    }

    /// The most texts that are remembered; a hundred bytes each.
    private static let mostTexts = 8192

    /// Tells a picture's text from every other, at a fraction of what decoding and SHA-256 cost.
    func tag(of text: ArraySlice<UInt8>) -> PictureTextTag { tags.tag(of: text) }

    /// The picture that a text is, if it came before.
    func digest(of tag: PictureTextTag) -> PictureDigest? { state.withLock { $0.texts[tag] } }

    func note(_ tag: PictureTextTag, _ digest: PictureDigest) {
        guard limit > 0 else { return }
        state.withLock { state in
            if state.texts.count >= Self.mostTexts { state.texts.removeAll(keepingCapacity: true) }
            state.texts[tag] = digest
        }
    }

    /// For `/bridge/status` and metrics.
    var counts: (pictures: Int, bytes: Int, hits: Int, misses: Int) {
        state.withLock { ($0.entries.count, $0.bytes, $0.hits, $0.misses) }
    }
}
