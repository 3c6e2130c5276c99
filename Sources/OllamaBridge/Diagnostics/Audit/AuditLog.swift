import Dispatch
import Foundation
import Logging
import Synchronization

/// A file of JSON lines, one event a request, rotated by size. Writing happens on a queue of its own and never holds a request up.
final class AuditLog: Sendable {
    private struct File {
        var handle: FileHandle?
        var bytes = 0
        var hasComplained = false
    }

    /// `audit.jsonl.1` is the newest of the old ones.
    private static let kept = 5
    /// Events that may wait for a slow disk; more are dropped, and counted in the log.
    private static let mostWaiting = 10_000

    private let path: String
    private let limit: Int
    private let log: Logger
    private let queue = DispatchQueue(label: "audit")
    private let waiting = Atomic(0)
    private let dropped = Atomic(0)
    /// Touched on the queue only, apart from the start.
    private let file: Mutex<File>

    /// - Parameter limit: Bytes after which a new file is begun.
    /// - Throws: ``StartupError`` if the file cannot be written.
    init(path: String, limit: Int, log: Logger) throws {
        self.path = path
        self.limit = limit
        self.log = log
        var file = File()
        guard Self.open(path, &file) else { throw StartupError("\(path) cannot be written; name another with --audit-file FILE.") }
        self.file = Mutex(file)
    }

    /// - Parameter line: One JSON object without a line break.
    func write(_ line: [UInt8]) {
        guard waiting.load(ordering: .relaxed) < Self.mostWaiting else {
            dropped.add(1, ordering: .relaxed)
            return
        }
        waiting.add(1, ordering: .relaxed)
        queue.async { [self] in
            file.withLock { append(line, to: &$0) }
            waiting.subtract(1, ordering: .relaxed)
        }
    }

    /// Waits until every event is written.
    func flush() { queue.sync {} }

    private func append(_ line: [UInt8], to file: inout File) {
        if file.bytes > 0, file.bytes + line.count + 1 > limit { rotate(&file) }
        do {
            if file.handle == nil, !Self.open(path, &file) { throw CocoaError(.fileWriteUnknown) }
            try file.handle?.write(contentsOf: Data(line + [UInt8(ascii: "\n")]))
            file.bytes += line.count + 1
            file.hasComplained = false
        } catch {
            dropped.add(1, ordering: .relaxed)
            // Half a line would spoil the next one as well.
            try? file.handle?.truncate(atOffset: UInt64(file.bytes))
            if !file.hasComplained { log.error("The audit file cannot be written", metadata: ["file": "\(path)"]) }
            file.hasComplained = true
        }
        let lost = dropped.exchange(0, ordering: .relaxed)
        if lost > 0 { log.warning("Audit events were lost", metadata: ["events": "\(lost)"]) }
    }

    private func rotate(_ file: inout File) {
        try? file.handle?.close()
        file.handle = nil
        for number in stride(from: Self.kept - 1, through: 0, by: -1) {
            let from = number == 0 ? path : "\(path).\(number)"
            let to = "\(path).\(number + 1)"
            _ = unsafe rename(from, to)
        }
        _ = Self.open(path, &file)
    }

    private static func open(_ path: String, _ file: inout File) -> Bool {
        // Who asked what, when, is nobody else's business.
        let descriptor = unsafe Foundation.open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return false }
        var status = stat()
        // A device is others' as well.
        if unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG { fchmod(descriptor, 0o600) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        file.handle = handle
        file.bytes = Int((try? handle.seekToEnd()) ?? 0)
        var last = UInt8(ascii: "\n")
        // A crash can leave half a line, which must not run into the next.
        if file.bytes > 0, unsafe pread(descriptor, &last, 1, file.bytes - 1) == 1, last != UInt8(ascii: "\n"),
            (try? handle.write(contentsOf: Data([UInt8(ascii: "\n")]))) != nil
        {
            file.bytes += 1
        }
        return true
    }
}
