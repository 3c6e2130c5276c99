import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTPTypes

/// Hummingbird's HTTP/1.1 channel, with the client watched and its tasks on the channel's own event loop.
struct BridgeChannel: ServerChildChannel {
    struct Connection: ServerChildChannelValue {
        let http: NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
        let client: ClientConnection
        var channel: any Channel { http.channel }
    }

    private let http: HTTP1Channel

    init(limits: ListenerLimits, responder: @escaping HTTPChannelHandler.Responder) {
        http = HTTP1Channel(
            responder: responder,
            configuration: .init(
                additionalChannelHandlers: [ClientWatch()],
                idleTimeout: limits.keepAlive,
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: limits.headerFieldBytes, maxHeaderListSize: limits.headerBytes,
                    maxHeaderFieldCount: limits.headerFields)))
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Connection> {
        http.setup(channel: channel, logger: logger).flatMapThrowing { asyncChannel in
            let watch = try channel.pipeline.syncOperations.handler(type: ClientWatch.self)
            return Connection(http: asyncChannel, client: watch.client)
        }
    }

    func handle(value: Connection, logger: Logger) async {
        // Unstructured so that it can be cancelled from the event loop when the client leaves; awaited right below.
        let task = Task(executorPreference: EventLoopTaskExecutor(value.channel.eventLoop)) {
            await ClientConnection.$current.withValue(value.client) {
                await http.handle(value: value.http, logger: logger)
            }
        }
        value.client.serve { task.cancel() }
        await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }
}
