import Synchronization

/// Captions by picture and by the model that wrote them, so that each picture is described once.
final class CaptionCache: Sendable {
    struct Key: Hashable, Sendable {
        let picture: PictureDigest
        let describer: String
    }

    /// A caption is a few hundred bytes; longer ones than these are not kept.
    private static let mostCaptions = 4096
    private static let longest = 16 << 10

    private let state = Mutex<(captions: [Key: String], order: [Key])>(([:], []))

    func caption(_ key: Key) -> String? { state.withLock { $0.captions[key] } }

    func store(_ caption: String, for key: Key) {
        guard caption.utf8.count <= Self.longest else { return }
        state.withLock { state in
            if state.captions.updateValue(caption, forKey: key) == nil { state.order.append(key) }
            if state.order.count > Self.mostCaptions { state.captions[state.order.removeFirst()] = nil }
        }
    }
}
