import Fetch
import Logging
import NIOCore
import Synchronization

/// A bridge that listens, until it is stopped.
final class RunningBridge: Sendable {
    /// What has to be ended after the last answer.
    struct Parts: Sendable {
        var listeners: [Listener]
        var connections: Connections
        var capacity: Capacity
        var catalog: CatalogStore
        var files: FileWatch
        var budgets: Budgets
        var audit: AuditLog?
        var demo: DemoServer
        var fetcher: Fetcher
        var imageFetcher: ImageFetcher
        var workers: PictureWorkers
    }

    /// Idle connections are left open for this long, so that a client in a loop asks once more and is told properly.
    private static let quiet = TimeAmount.seconds(1)
    private static let look = Duration.milliseconds(20)
    /// How long a client may take to read the word that its answer ends here.
    private static let farewell = Duration.seconds(2)

    let parts: Parts
    private let log: Logger
    private let background: [Task<Void, Never>]
    private let isHurried = Atomic(false)

    /// - Parameter background: What runs beside the listeners and is cancelled in the end.
    init(_ parts: Parts, background: [Task<Void, Never>], log: Logger) {
        self.parts = parts
        self.background = background
        self.log = log
    }

    /// The TCP port, or 0 if there is none.
    var port: Int { parts.listeners.compactMap(\.port).first ?? 0 }

    /// Reads every file again that may change while the bridge runs.
    func reload() async { await parts.files.reload() }

    /// Takes no more connections, lets the running answers finish, then ends those that still run with a word to their clients.
    ///
    /// - Parameter drain: How long running answers may take.
    func stop(drain: Duration) async {
        let connections = parts.connections
        parts.capacity.beginDraining()
        connections.beginDraining()
        for listener in parts.listeners { await listener.stopAccepting() }
        let began = ContinuousClock.now
        while connections.count > 0, began.duration(to: .now) < drain, !isHurried.load(ordering: .relaxed) {
            connections.closeIdle(quietFor: Self.quiet)
            try? await Task.sleep(for: Self.look)
        }
        if connections.count > 0 {
            log.notice("Ending the answers that still run", metadata: ["connections": "\(connections.count)"])
            connections.cutShort()
            let cut = ContinuousClock.now
            while connections.count > 0, cut.duration(to: .now) < Self.farewell {
                connections.closeIdle(quietFor: .zero)
                try? await Task.sleep(for: Self.look)
            }
        }
        connections.closeAll()
        let closed = ContinuousClock.now
        while connections.count > 0, closed.duration(to: .now) < Self.farewell { try? await Task.sleep(for: Self.look) }
        for task in background { task.cancel() }
        for task in background { await task.value }
        await parts.fetcher.shutdown()
        await parts.imageFetcher.shutdown()
        await parts.demo.stop()
        try? await parts.workers.stop()
        parts.budgets.save()
        parts.audit?.flush()
    }

    /// Ends a running ``stop(drain:)`` now.
    func hurry() { isHurried.store(true, ordering: .relaxed) }
}
