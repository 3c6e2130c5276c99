import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// Runs the demo upstream on a loopback port of its own.
struct DemoServer: Sendable {
    let port: Int
    let task: Task<Void, any Error>

    static func start(log: Logger) async throws -> DemoServer {
        let door = FrontDoor(routes: DemoUpstream.routes(), guards: nil, limits: ListenerLimits(), log: log)
        let (ports, announce) = AsyncStream<Int>.makeStream()
        var quiet = log
        quiet.logLevel = .critical
        let server = BridgeChannel(limits: ListenerLimits()) { request, writer, channel in
            try await door.serve(request, writer, channel)
        }.server(
            configuration: ServerConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in
                announce.yield(channel.localAddress?.port ?? 0)
                announce.finish()
            },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton, logger: quiet)
        let task = Task.detached {
            defer { announce.finish() }
            try await server.run()
        }
        guard let port = await ports.first(where: { _ in true }) else {
            try await task.value
            throw StartupError("The demo model could not find a free port on 127.0.0.1.")
        }
        return DemoServer(port: port, task: task)
    }
}
