import Synchronization
import Translate

/// The models that count as loaded, for `/api/ps`: those used within their keep-alive. A proxy loads nothing.
final class RunningModels: Sendable {
    struct Entry: Sendable {
        var model: ResolvedModel
        /// Seconds since 1970; nil means forever.
        var expires: Int64?
        var numCtx: Int?
    }

    private static let mostEntries = 1000

    private let state = Mutex<[String: Entry]>([:])
    private let standard: KeepAlive

    /// - Parameter standard: What holds when a request says nothing.
    init(standard: KeepAlive) { self.standard = standard }

    func note(_ model: ResolvedModel, keepAlive: KeepAlive?, numCtx: Int?) {
        let keepAlive = keepAlive ?? standard
        state.withLock { entries in
            // Behind a wildcard any name is a model, so the list is cleared of what is over before it can grow for ever.
            if entries.count >= Self.mostEntries {
                let now = Clock.now().seconds
                entries = entries.filter { $0.value.expires.map { $0 > now } ?? true }
                if entries.count >= Self.mostEntries { entries.removeAll() }
            }
            switch keepAlive {
            case .forever: entries[model.listedName] = Entry(model: model, expires: nil, numCtx: numCtx)
            case .duration(let duration) where duration == .zero: entries[model.listedName] = nil
            case .duration(let duration):
                let (expires, overflow) = Clock.now().seconds.addingReportingOverflow(duration.components.seconds)
                entries[model.listedName] = Entry(model: model, expires: overflow ? nil : expires, numCtx: numCtx)
            }
        }
    }

    /// Those not yet expired, the latest to expire first.
    func current(now: Int64) -> [Entry] {
        state.withLock { entries in
            entries = entries.filter { $0.value.expires.map { $0 > now } ?? true }
            return entries.values.sorted { ($0.expires ?? .max, $0.model.listedName) > ($1.expires ?? .max, $1.model.listedName) }
        }
    }
}
