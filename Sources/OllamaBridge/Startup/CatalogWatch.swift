import Foundation
import Logging
import Synchronization
import Translate

/// Puts a changed models.json in force while the bridge runs. A broken file leaves the old one in force and is complained of once.
final class CatalogWatch: Sendable {
    /// What tells one version of a file from another without reading it.
    private struct Stamp: Equatable {
        var inode: UInt64
        var size: Int64
        var seconds: Int
        var nanoseconds: Int
    }

    /// A file is read once it has looked the same twice, so that one written in place is not read half-written; with this pause that is
    /// within two seconds. Looking beats watching here: it also sees network drives and links that are turned to another file.
    private static let pause = DispatchTimeInterval.milliseconds(900)

    private let path: String
    private let named: String?
    private let environment: [String: String]
    private let store: CatalogStore
    private let log: Logger
    private let onChange: @Sendable () async -> Void
    private let seen: Mutex<Stamp?>

    /// - Parameters:
    ///   - named: The file the user named; nil watches for `models.json` in the working directory.
    ///   - onChange: Called after another catalog came into force.
    init(
        named: String?, environment: [String: String], store: CatalogStore, log: Logger, onChange: @escaping @Sendable () async -> Void
    ) {
        self.named = named
        path = named ?? CatalogFile.standardPath
        self.environment = environment
        self.store = store
        self.log = log
        self.onChange = onChange
        seen = Mutex(Self.stamp(of: path))
    }

    func run() async {
        for await _ in changes() { await reload() }
    }

    /// One element each time the file has changed and come to rest.
    ///
    /// From a thread of its own, which wakes once a look and may wait for a slow drive; a task that sleeps wakes five times.
    private func changes() -> AsyncStream<Void> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let end = DispatchSemaphore(value: 0)
            continuation.onTermination = { _ in end.signal() }
            let thread = Thread { [self] in
                var candidate: Stamp?
                while end.wait(timeout: .now() + Self.pause) == .timedOut {
                    let stamp = Self.stamp(of: path)
                    if stamp == candidate, seen.withLock({ $0 != stamp }) {
                        seen.withLock { $0 = stamp }
                        continuation.yield()
                    }
                    candidate = stamp
                }
            }
            thread.name = "models.json"
            thread.stackSize = 128 << 10
            thread.start()
        }
    }

    /// Reads the file now, changed or not.
    func reload() async {
        let stamp = Self.stamp(of: path)
        seen.withLock { $0 = stamp }
        do {
            let file = try CatalogFile.read(named: named, environment: environment)
            let demo = store.current.providers.first { $0.name == "demo" }?.baseURL ?? ""
            var catalog = file.catalog
            catalog.setBaseURL(demo, ofProvider: "demo")
            store.replace(by: catalog, modifiedAt: file.modifiedAt)
            log.notice("Models reloaded", metadata: ["file": "\(file.path ?? "built in")", "models": "\(catalog.listed().count)"])
            for warning in catalog.warnings { log.notice("\(warning)") }
            await onChange()
        } catch {
            log.warning("The changed models file is not used, the old one stays in force", metadata: ["reason": "\(error)"])
        }
    }

    private static func stamp(of path: String) -> Stamp? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        return Stamp(
            inode: UInt64(status.st_ino), size: Int64(status.st_size), seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
    }
}
