import Synchronization
import Translate

/// The models that count as loaded, for `/api/ps`: those that are answering, and those whose keep-alive since their last answer is not over. A
/// proxy loads nothing.
final class RunningModels: Sendable {
    struct Entry: Sendable {
        var model: ResolvedModel
        /// Seconds since 1970; nil means forever.
        var expires: Int64?
        var numCtx: Int?
        /// As the newest request has it.
        fileprivate var keepAlive: KeepAlive
        fileprivate var users = 0
    }

    /// As long as this is held, the model is answering; then its keep-alive begins.
    final class Use: Sendable {
        private let running: RunningModels
        private let model: String

        fileprivate init(_ running: RunningModels, model: String) {
            self.running = running
            self.model = model
        }

        deinit { running.end(model) }
    }

    /// Behind a wildcard any name is a model, and clients may make names up.
    private static let mostEntries = 1000

    private let state = Mutex<[String: Entry]>([:])
    private let standard: KeepAlive

    /// - Parameter standard: What holds when a request says nothing.
    init(standard: KeepAlive) { self.standard = standard }

    /// Notes a request that is being answered; one that only loads or unloads is over at once.
    func use(_ model: ResolvedModel, keepAlive: KeepAlive?, numCtx: Int?) -> Use {
        let keepAlive = keepAlive ?? standard
        state.withLock { entries in
            if entries.count >= Self.mostEntries { Self.clear(&entries) }
            let new = Entry(model: model, expires: Self.expiry(keepAlive), numCtx: numCtx, keepAlive: keepAlive, users: 1)
            guard let place = entries.index(forKey: model.listedName) else {
                entries[model.listedName] = new
                return
            }
            let users = entries.values[place].users
            entries.values[place] = new
            entries.values[place].users += users
        }
        return Use(self, model: model.listedName)
    }

    private func end(_ name: String) {
        state.withLock { entries in
            guard let place = entries.index(forKey: name) else { return }
            let keepAlive = entries.values[place].keepAlive
            entries.values[place].users -= 1
            entries.values[place].expires = Self.expiry(keepAlive)
            if entries.values[place].users == 0, keepAlive.isUnload { entries.remove(at: place) }
        }
    }

    private static func expiry(_ keepAlive: KeepAlive) -> Int64? {
        guard case .duration(let duration) = keepAlive else { return nil }
        let now = Clock.now()
        // Up to the next second, or a model that is kept for less than one would never be there.
        let rest = now.fraction + duration.components.attoseconds / 1_000_000_000 + 999_999_999
        let (expires, overflow) = (now.seconds + rest / 1_000_000_000).addingReportingOverflow(duration.components.seconds)
        return overflow ? nil : expires
    }

    private static func clear(_ entries: inout [String: Entry]) {
        let now = Clock.now().seconds
        entries = entries.filter { $0.value.isCurrent(at: now) }
        if entries.count >= mostEntries { entries = entries.filter { $0.value.users > 0 } }
    }

    /// Those that count as loaded, the latest to expire first.
    func current(now: Int64) -> [Entry] {
        state.withLock { entries in
            entries = entries.filter { $0.value.isCurrent(at: now) }
            let shown = entries.values.map { entry in
                var entry = entry
                // What is answering does not expire, whatever its clock says.
                if entry.users > 0, let expires = entry.expires { entry.expires = max(expires, now + 1) }
                return entry
            }
            return shown.sorted { ($0.expires ?? .max, $0.model.listedName) > ($1.expires ?? .max, $1.model.listedName) }
        }
    }
}

extension RunningModels.Entry {
    fileprivate func isCurrent(at now: Int64) -> Bool { users > 0 || expires.map { $0 > now } ?? true }
}
