import Synchronization
import Translate

/// The catalog in force. A request takes one snapshot and keeps it, whatever is reloaded meanwhile.
final class CatalogStore: Sendable {
    private let state: Mutex<ModelCatalog>

    init(_ catalog: ModelCatalog) { state = Mutex(catalog) }

    var current: ModelCatalog { state.withLock { $0 } }

    func update(_ change: (inout ModelCatalog) -> Void) { state.withLock { change(&$0) } }
}
