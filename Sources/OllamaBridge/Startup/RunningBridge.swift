import Fetch
import Logging
import NIOCore
import Synchronization

/// A bridge that listens, until it is stopped.
final class RunningBridge: Sendable {
    /// What has to be ended after the last answer.
    struct Parts: Sendable {
        var listeners: [Listener]
        var capacity: Capacity
        var catalog: CatalogStore
        var watch: CatalogWatch
        var demo: DemoServer
        var fetcher: Fetcher
        var imageFetcher: ImageFetcher
        var workers: PictureWorkers
    }

    /// Idle connections are left open for this long, so that a client in a loop asks once more and is told properly.
    private static let quiet = TimeAmount.milliseconds(500)
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
        self.background = background + parts.listeners.map { listener in Task { await listener.run() } }
        self.log = log
    }

    /// The TCP port, or 0 if there is none.
    var port: Int { parts.listeners.compactMap(\.port).first ?? 0 }

    /// Takes no more connections, lets the running answers finish, then ends those that still run with a word to their clients.
    ///
    /// - Parameter drain: How long running answers may take.
    func stop(drain: Duration) async {
        parts.capacity.beginDraining()
        for connections in all { connections.beginDraining() }
        for listener in parts.listeners { await listener.stopAccepting() }
        let began = ContinuousClock.now
        while open > 0, began.duration(to: .now) < drain, !isHurried.load(ordering: .relaxed) {
            for connections in all { connections.closeIdle(quietFor: Self.quiet) }
            try? await Task.sleep(for: Self.look)
        }
        if open > 0 {
            log.notice("Ending the answers that still run", metadata: ["connections": "\(open)"])
            for connections in all { connections.cutShort() }
            let cut = ContinuousClock.now
            while open > 0, cut.duration(to: .now) < Self.farewell {
                for connections in all { connections.closeIdle(quietFor: .zero) }
                try? await Task.sleep(for: Self.look)
            }
        }
        for connections in all { connections.closeAll() }
        for task in background { task.cancel() }
        for task in background { await task.value }
        parts.demo.task.cancel()
        await parts.fetcher.shutdown()
        await parts.imageFetcher.shutdown()
        await parts.demo.task.value
        try? await parts.workers.stop()
    }

    /// Ends a running ``stop(drain:)`` now.
    func hurry() { isHurried.store(true, ordering: .relaxed) }

    private var all: [Connections] { parts.listeners.map(\.connections) }
    private var open: Int { all.reduce(0) { $0 + $1.count } }
}
