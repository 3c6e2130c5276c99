import Synchronization
import Translate

/// The catalog in force. A request takes one snapshot and keeps it, whatever is reloaded meanwhile.
final class CatalogStore: Sendable {
    private struct State {
        var catalog: ModelCatalog
        var modifiedAt: String
        var isFromFile: Bool
    }

    private let state: Mutex<State>

    /// - Parameter modifiedAt: When the file was last written; RFC 3339.
    init(_ catalog: ModelCatalog, modifiedAt: String, isFromFile: Bool = false) {
        state = Mutex(State(catalog: catalog, modifiedAt: modifiedAt, isFromFile: isFromFile))
    }

    var current: ModelCatalog { state.withLock { $0.catalog } }

    /// Finds a model without taking a snapshot.
    ///
    /// - Throws: As the catalog's own.
    func require(_ name: String, for route: ModelRoute) throws(OllamaFailure) -> ResolvedModel {
        try state.withLock { state throws(OllamaFailure) in try state.catalog.require(name, for: route) }
    }

    var isFromFile: Bool { state.withLock { $0.isFromFile } }

    var modifiedAt: String { state.withLock { $0.modifiedAt } }

    func update(_ change: (inout ModelCatalog) -> Void) { state.withLock { change(&$0.catalog) } }

    /// Puts another catalog in force at once; what upstreams said of their models stays known.
    func replace(by catalog: ModelCatalog, modifiedAt: String, isFromFile: Bool) {
        state.withLock { state in
            var catalog = catalog
            catalog.keepDiscovered(from: state.catalog)
            state = State(catalog: catalog, modifiedAt: modifiedAt, isFromFile: isFromFile)
        }
    }
}
