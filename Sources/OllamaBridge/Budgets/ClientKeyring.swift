import HummingbirdCore
import Logging
import Synchronization

/// The client keys in force: those of flags and environment, and those of a file that may change.
final class ClientKeyring: Sendable {
    private let flags: [String]
    private let path: String?
    private let budgets: Budgets
    private let log: Logger
    private let keys: Mutex<ClientKeys>

    /// - Parameters:
    ///   - flags: Each either `KEY` or `NAME=KEY`.
    ///   - path: The file of further keys.
    ///   - file: What it holds now.
    init(_ flags: [String], path: String?, file: ClientKeysFile?, budgets: Budgets, log: Logger) {
        self.flags = flags
        self.path = path
        self.budgets = budgets
        self.log = log
        keys = Mutex(ClientKeys(flags, file: file?.entries))
    }

    /// Whether no keys are in use.
    var isEmpty: Bool { keys.withLock { $0.isEmpty } }

    func check(_ request: Request, path: String) -> ClientKeys.Verdict {
        keys.withLock { $0 }.check(request, path: path)
    }

    /// Reads the file again. A broken one leaves the old keys in force: neither is anybody let in by a slip nor everybody kept out.
    func reload() {
        guard let path else { return }
        do {
            let file = try ClientKeysFile.read(path)
            budgets.replace(by: file.budgets)
            keys.withLock { $0 = ClientKeys(flags, file: file.entries) }
            log.notice("Client keys reloaded", metadata: ["file": "\(path)", "keys": "\(file.entries.count)"])
            for warning in file.warnings { log.notice("\(warning)") }
        } catch {
            log.warning(
                "The changed file of client keys is not used, the old one stays in force", metadata: ["reason": "\("\(error)".asOneLine)"])
        }
    }
}
