import Foundation
import Synchronization

/// Has files read again that changed while the bridge runs.
final class FileWatch: Sendable {
    struct File: Sendable {
        var path: String
        /// Reads it and puts it in force; complains itself if it cannot.
        var reload: @Sendable () async -> Void
    }

    /// What tells one version of a file from another without reading it.
    private struct Stamp: Equatable {
        var inode: UInt64
        var size: Int64
        var seconds: Int
        var nanoseconds: Int

        init?(_ path: String) {
            var status = stat()
            guard unsafe stat(path, &status) == 0 else { return nil }
            inode = UInt64(status.st_ino)
            size = Int64(status.st_size)
            seconds = status.st_mtim.tv_sec
            nanoseconds = status.st_mtim.tv_nsec
        }
    }

    /// A file is read once it has looked the same twice, so that one written in place is not read half-written; with this pause that is
    /// within two seconds. Looking beats watching here: it also sees network drives and links that are turned to another file.
    private static let pauseMicroseconds: UInt32 = 900_000

    private let files: [File]
    /// By the file's place in the list.
    private let seen: Mutex<[Stamp?]>

    init(_ files: [File]) {
        self.files = files
        seen = Mutex(files.map { Stamp($0.path) })
    }

    func run() async {
        for await index in changes() { await files[index].reload() }
    }

    /// Reads all of them now, changed or not.
    func reload() async {
        for (index, file) in files.enumerated() {
            let stamp = Stamp(file.path)
            seen.withLock { $0[index] = stamp }
            await file.reload()
        }
    }

    /// The file's place in the list each time one has changed and come to rest.
    ///
    /// From a thread of its own, which wakes once a look and may wait for a slow drive; a task that sleeps wakes five times.
    private func changes() -> AsyncStream<Int> {
        AsyncStream(bufferingPolicy: .bufferingNewest(8)) { continuation in
            let end = StopFlag()
            continuation.onTermination = { _ in end.set() }
            let thread = Thread { [self] in
                var candidates: [Stamp?] = files.map { _ in nil }
                while true {
                    // Sleeps for a time, not until one: a semaphore's wait ends by the wall clock, and would take a day more after that
                    // was set back by one.
                    usleep(Self.pauseMicroseconds)
                    if end.isSet { return }
                    for (index, file) in files.enumerated() {
                        let stamp = Stamp(file.path)
                        let isNew = stamp == candidates[index] && seen.withLock { $0[index] != stamp }
                        candidates[index] = stamp
                        guard isNew else { continue }
                        seen.withLock { $0[index] = stamp }
                        continuation.yield(index)
                    }
                }
            }
            thread.name = "files"
            thread.stackSize = 128 << 10
            thread.start()
        }
    }
}
