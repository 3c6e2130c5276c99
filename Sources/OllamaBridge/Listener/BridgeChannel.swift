import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// Hummingbird's HTTP/1.1 channel behind our own guard, with its tasks on the channel's own event loop.
struct BridgeChannel: Sendable {
    struct Connection: Sendable {
        let http: NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
        let client: ClientConnection
    }

    private let connections: Connections
    private let http: HTTP1Channel
    private let limits: ListenerLimits

    /// - Parameter connections: Those of all listeners together.
    init(limits: ListenerLimits, connections: Connections, responder: @escaping HTTPChannelHandler.Responder) {
        self.limits = limits
        self.connections = connections
        http = HTTP1Channel(
            responder: responder,
            configuration: .init(
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: limits.headerFieldBytes, maxHeaderListSize: limits.headerBytes,
                    maxHeaderFieldCount: limits.headerFields)))
    }

    /// - Throws: In the future, if there is no room for another connection; the channel is then closed.
    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Connection> {
        let client = ClientConnection()
        return http.setup(channel: channel, logger: logger).flatMapThrowing { asyncChannel in
            let pipeline = channel.pipeline.syncOperations
            let codec = try pipeline.handler(type: HTTP1ToHTTPServerCodec.self)
            try pipeline.addHandler(RequestGuard(client: client, limits: limits), position: .before(codec))
            guard connections.admit(client) else { throw TooManyConnections() }
            channel.closeFuture.whenComplete { _ in connections.remove(client) }
            return Connection(http: asyncChannel, client: client)
        }
    }

    func handle(_ connection: Connection, logger: Logger) async {
        let executor = EventLoopTaskExecutor(connection.http.channel.eventLoop)
        // Unstructured so that it can be cancelled from the event loop when the client leaves; awaited right below.
        let task = Task(executorPreference: executor) {
            await ClientConnection.$current.withValue(connection.client) {
                await http.handle(value: connection.http, logger: logger)
            }
        }
        connection.client.serve(on: executor) { task.cancel() }
        await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }
}

private struct TooManyConnections: Error {}
