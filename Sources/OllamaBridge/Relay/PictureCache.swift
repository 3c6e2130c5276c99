import Crypto
import Images
import Synchronization

/// A picture as it is sent: base64 of a true JPEG, and what was done to get it.
struct PreparedPicture: Sendable {
    let base64: PictureBase64
    let report: ImageReport
    /// SHA-256 of the bytes the client gave, for audit and for telling pictures apart; never of use to rebuild them. nil where nobody asked for it.
    var digest: PictureDigest?
}

/// SHA-256 of a picture's encoded bytes.
struct PictureDigest: Sendable, Hashable, CustomStringConvertible {
    private let bytes: [UInt8]

    init(of picture: [UInt8]) { bytes = Array(SHA256.hash(data: picture)) }

    var description: String { Hexadecimal.text(bytes) }
}

/// Keeps converted pictures by content, so that the tenth turn of a chat converts nothing again and the upstream sees an identical prefix.
final class PictureCache: Sendable {
    /// What a picture was and what it had to become.
    struct Key: Hashable, Sendable {
        enum Source: Hashable, Sendable {
            /// Any spelling of these bytes.
            case bytes(PictureDigest)
            /// A JPEG that went as it came: making it again costs less than SHA-256 does, so only its text is known.
            case text(PictureTextTag)
        }

        let source: Source
        let target: ImageTarget
    }

    /// A picture's text as it came, and what tells it from other texts.
    struct Text: Sendable {
        let characters: ArraySlice<UInt8>
        let tag: PictureTextTag
    }

    /// What was made of a picture.
    enum Made: Sendable {
        /// The base64, whole.
        case written([UInt8], ImageReport)
        /// What tells how to make it of the text that it came as.
        case stripped(StrippedJPEG)
    }

    struct Found: Sendable {
        let made: Made
        let digest: PictureDigest?
    }

    private struct Entry {
        let made: Made
        var lastUse: UInt64

        /// Bytes that are kept; those that are small are counted as more, so that there cannot be very many.
        var cost: Int { if case .written(let base64, _) = made { max(base64.count, 4096) } else { 4096 } }
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        /// The pictures that texts seen before turned out to be.
        var texts: [PictureTextTag: PictureDigest] = [:]
        var bytes = 0
        var uses: UInt64 = 0
        var hits = 0
        var misses = 0

        mutating func use(_ key: Key) -> Made? {
            guard let made = entries[key]?.made else { return nil }
            uses += 1
            hits += 1
            entries[key]?.lastUse = uses
            return made
        }
    }

    private let limit: Int
    private let tags = PictureTextTags()
    private let state = Mutex(State())

    /// - Parameter limit: Most bytes of base64 kept; 0 keeps nothing.
    init(limit: Int) { self.limit = limit }

    /// What was made of the picture that a text is, if it came before.
    func find(_ text: Text, for target: ImageTarget) -> Found? {
        state.withLock { state in
            let digest = state.texts[text.tag]
            let byBytes = digest.flatMap { state.use(Key(source: .bytes($0), target: target)) }
            return (byBytes ?? state.use(Key(source: .text(text.tag), target: target))).map { Found(made: $0, digest: digest) }
        }
    }

    /// What was made of the picture that has these bytes, if it came before.
    func find(_ digest: PictureDigest, for target: ImageTarget) -> Found? {
        state.withLock { state in
            state.use(Key(source: .bytes(digest), target: target)).map { Found(made: $0, digest: digest) }
        }
    }

    /// Keeps what had to be made.
    func store(_ made: Made, for key: Key) {
        state.withLock { state in
            state.misses += 1
            state.uses += 1
            let entry = Entry(made: made, lastUse: state.uses)
            guard entry.cost <= limit else { return }
            if let old = state.entries.updateValue(entry, forKey: key) { state.bytes -= old.cost }
            state.bytes += entry.cost
            while state.bytes > limit, let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
                state.entries[oldest.key] = nil
                state.bytes -= oldest.value.cost
            }
        }
    }

    /// The most texts that are remembered; a hundred bytes each.
    private static let mostTexts = 8192

    /// Tells a picture's text from every other, at a fraction of what decoding and SHA-256 cost.
    func text(_ characters: ArraySlice<UInt8>) -> Text { Text(characters: characters, tag: tags.tag(of: characters)) }

    /// SHA-256 of the bytes that a text is, if it was noted.
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
