import Logging

/// Runs the demo upstream on a loopback port of its own.
struct DemoServer: Sendable {
    private let listener: Listener
    private let connections: Connections

    var port: Int { listener.port ?? 0 }

    static func start(log: Logger) async throws -> DemoServer {
        let limits = ListenerLimits.loopback
        let door = FrontDoor(routes: DemoUpstream.routes(), guards: nil, limits: limits, capacity: Capacity(limits), log: log)
        let connections = Connections(limit: limits.connections)
        let child = BridgeChannel(limits: limits, connections: connections, log: Listener.quiet(log)) { request, writer, channel in
            try await door.serve(request, writer, channel)
        }
        do {
            let listener = try await Listener.bind(.address(host: "127.0.0.1", port: 0), log: log, child: child)
            return DemoServer(listener: listener, connections: connections)
        } catch {
            throw StartupError("The demo model could not find a free port on 127.0.0.1.")
        }
    }

    func stop() async {
        await listener.stopAccepting()
        connections.closeAll()
    }
}
