import NIOCore
import Synchronization

/// Every open connection of the bridge: caps their number, and lets them finish when the bridge stops.
final class Connections: Sendable {
    private let limit: Int
    private let open = Mutex<[ObjectIdentifier: ClientConnection]>([:])
    private let isDraining = Atomic(false)

    /// - Parameter limit: The most open connections.
    init(limit: Int) { self.limit = limit }

    var count: Int { open.withLock { $0.count } }

    /// Takes a new connection in. Over the limit the one that has been silent longest makes room, first among those that never asked
    /// anything: whoever opens connections by the thousand only takes them from itself.
    ///
    /// - Returns: False if every connection is busy; the new one must then be closed.
    func admit(_ client: ClientConnection) -> Bool {
        let (isAdmitted, evicted) = open.withLock { open -> (Bool, ClientConnection?) in
            guard open.count >= limit else {
                open[ObjectIdentifier(client)] = client
                return (true, nil)
            }
            guard let evicted = Self.quietest(open.values) else { return (false, nil) }
            open[ObjectIdentifier(evicted)] = nil
            open[ObjectIdentifier(client)] = client
            return (true, evicted)
        }
        evicted?.close()
        // The listener takes in whoever stood in line when it was told to stop.
        if isDraining.load(ordering: .sequentiallyConsistent) { client.closeAfterAnswer() }
        return isAdmitted
    }

    func remove(_ client: ClientConnection) {
        open.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(client)) }
    }

    private static func quietest(_ clients: some Sequence<ClientConnection>) -> ClientConnection? {
        var fresh: (client: ClientConnection, since: NIODeadline)?
        var idle: (client: ClientConnection, since: NIODeadline)?
        for client in clients {
            let (phase, since) = client.phase
            switch phase {
            case .fresh: if since < fresh?.since ?? .distantFuture { fresh = (client, since) }
            case .idle: if since < idle?.since ?? .distantFuture { idle = (client, since) }
            case .busy: break
            }
        }
        return (fresh ?? idle)?.client
    }

    // MARK: Stopping

    /// From now on each connection closes with its next answer, those that are still to come included.
    func beginDraining() {
        isDraining.store(true, ordering: .sequentiallyConsistent)
        for client in all { client.closeAfterAnswer() }
    }

    /// Closes connections on which nothing has been asked for a while.
    ///
    /// - Parameter quiet: A client in a loop asks again within this time and then learns properly that the connection ends.
    func closeIdle(quietFor quiet: TimeAmount) {
        let latest = NIODeadline.now() - quiet
        for client in all {
            let (phase, since) = client.phase
            switch phase {
            case .fresh, .idle: if since <= latest { client.close() }
            case .busy: break
            }
        }
    }

    /// Ends the answers still running, each with a word to the client.
    func cutShort() { for client in all { client.cutShort() } }

    func closeAll() { for client in all { client.close() } }

    private var all: [ClientConnection] { open.withLock { Array($0.values) } }
}
