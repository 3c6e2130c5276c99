import Logging

/// Runs the demo upstream on a loopback port of its own.
struct DemoServer: Sendable {
    let port: Int
    let task: Task<Void, Never>

    static func start(log: Logger) async throws -> DemoServer {
        let limits = ListenerLimits.loopback
        let door = FrontDoor(routes: DemoUpstream.routes(), guards: nil, limits: limits, capacity: Capacity(limits), log: log)
        let child = BridgeChannel(limits: limits, connections: Connections(limit: limits.connections)) { request, writer, channel in
            try await door.serve(request, writer, channel)
        }
        let listener: Listener
        do {
            listener = try await Listener.bind(.address(host: "127.0.0.1", port: 0), child: child, log: Listener.quiet(log))
        } catch {
            throw StartupError("The demo model could not find a free port on 127.0.0.1.")
        }
        return DemoServer(port: listener.port ?? 0, task: Task.detached { await listener.run() })
    }
}
