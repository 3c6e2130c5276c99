import Logging
import Translate

/// Puts a changed models.json in force while the bridge runs. A broken file leaves the old one in force.
struct CatalogReload: Sendable {
    /// The file the user named; nil looks for `models.json` in the working directory.
    let named: String?
    let environment: [String: String]
    let store: CatalogStore
    let log: Logger
    /// Called after another catalog came into force.
    let onChange: @Sendable () async -> Void

    func callAsFunction() async {
        do {
            let file = try CatalogFile.read(named: named, environment: environment)
            if file.path == nil, store.isFromFile { throw StartupError("\(CatalogFile.standardPath) is gone.") }
            let demo = store.current.providers.first { $0.name == "demo" }?.baseURL ?? ""
            var catalog = file.catalog
            catalog.setBaseURL(demo, ofProvider: "demo")
            store.replace(by: catalog, modifiedAt: file.modifiedAt, isFromFile: file.path != nil)
            log.notice("Models reloaded", metadata: ["file": "\(file.path ?? "built in")", "models": "\(catalog.listed().count)"])
            for warning in catalog.warnings { log.notice("\(warning)") }
            await onChange()
        } catch {
            log.warning("The changed models file is not used, the old one stays in force", metadata: ["reason": "\("\(error)".asOneLine)"])
        }
    }
}
