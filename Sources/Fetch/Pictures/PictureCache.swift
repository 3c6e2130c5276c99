/// Pictures by URL, up to a number of bytes; what was used longest ago goes first.
final class PictureCache: Sendable {
    /// A kept picture.
    struct Entry: Sendable {
        let bytes: [UInt8]
        var rules: CacheRules
    }

    private struct State {
        var entries: [String: (entry: Entry, lastUse: UInt64)] = [:]
        var byteCount = 0
        var clock: UInt64 = 0

        mutating func tick() -> UInt64 {
            clock += 1
            return clock
        }
    }

    private let limit: Int
    private let state = Guarded(State())

    /// - Parameter limit: The most bytes to hold; 0 keeps nothing.
    init(limit: Int) {
        self.limit = limit
    }

    /// How many bytes are held.
    var byteCount: Int { state.withLock { $0.byteCount } }

    /// The picture of that URL, fresh or not.
    subscript(url: String) -> Entry? {
        state.withLock { state in
            guard let found = state.entries[url] else { return nil }
            let time = state.tick()
            state.entries[url]?.lastUse = time
            return found.entry
        }
    }

    /// Keeps a picture, in place of an older one of the same URL.
    func store(_ entry: Entry, for url: String) {
        let size = Self.size(entry, url)
        state.withLock { state in
            Self.remove(url, from: &state)
            // One picture must not drive out all others.
            guard size <= limit / 2 else { return }
            while state.byteCount + size > limit, let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse })?.key {
                Self.remove(oldest, from: &state)
            }
            state.entries[url] = (entry, state.tick())
            state.byteCount += size
        }
    }

    /// Lets go of a picture that must not be used any more.
    func remove(_ url: String) {
        state.withLock { Self.remove(url, from: &$0) }
    }

    private static func remove(_ url: String, from state: inout State) {
        guard let old = state.entries.removeValue(forKey: url) else { return }
        state.byteCount -= size(old.entry, url)
    }

    /// Keys and book-keeping count too, or a host of tiny answers would have no limit.
    private static func size(_ entry: Entry, _ url: String) -> Int {
        entry.bytes.count + url.utf8.count + 512
    }
}
