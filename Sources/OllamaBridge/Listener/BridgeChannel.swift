import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import NIOPosix

/// Serves connections with Hummingbird's HTTP/1.1 loop behind our own guard, each on its channel's own event loop.
struct BridgeChannel: Sendable {
    private let connections: Connections
    private let http: HTTP1Channel
    private let limits: ListenerLimits
    private let log: Logger
    /// Nil for clients that speak plain HTTP.
    var tls: TLSIdentity?

    /// - Parameter connections: Those of all listeners together.
    init(limits: ListenerLimits, connections: Connections, log: Logger, responder: @escaping HTTPChannelHandler.Responder) {
        self.limits = limits
        self.connections = connections
        self.log = log
        http = HTTP1Channel(responder: responder)
    }

    /// Takes a new connection in and serves it from here on. On its event loop.
    ///
    /// - Throws: If there is no room for another connection; the channel is then closed.
    func serve(_ channel: any Channel) throws {
        let client = ClientConnection()
        guard connections.admit(client) else { throw TooManyConnections() }
        try serve(channel, client)
    }

    /// Serves a connection that was taken in elsewhere, from the next request on.
    ///
    /// - Parameters:
    ///   - socket: Its descriptor, which is the library's from here on.
    ///   - bytes: What has been read from it already.
    func adopt(_ socket: CInt, _ client: ClientConnection, after bytes: [UInt8]) {
        ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.recvAllocator, value: Listener.receiveAllocator)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(EarlierBytes(bytes))
                    try serve(channel, client)
                }
            }
            .withConnectedSocket(socket)
            .whenFailure { _ in connections.remove(client) }
    }

    private func serve(_ channel: any Channel, _ client: ClientConnection) throws {
        do {
            // The last step makes an asynchronous channel, which traps if nobody ever reads from it: what can fail comes before, and the
            // task that reads starts right after, not when somebody gets round to it.
            try addHandlers(to: channel, client)
            start(
                try NIOAsyncChannel(wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true)), client
            )
        } catch {
            connections.remove(client)
            throw error
        }
    }

    private func addHandlers(to channel: any Channel, _ client: ClientConnection) throws {
        var decoding = NIOHTTPDecoderLimitConfiguration()
        decoding.maxHeaderFieldSize = limits.headerFieldBytes
        decoding.maxHeaderListSize = limits.headerBytes
        decoding.maxHeaderFieldCount = limits.headerFields
        let pipeline = channel.pipeline.syncOperations
        let socketReader = tls == nil ? SocketBodyReader() : nil
        if let tls { try pipeline.addHandler(tls.handler()) }
        if let socketReader { try pipeline.addHandler(socketReader) }
        try pipeline.configureHTTPServerPipeline(
            withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
            withEncoderConfiguration: .init(),
            withDecoderLimitConfiguration: decoding)
        try pipeline.addHandler(RequestGuard(client: client, limits: limits, socketReader: socketReader))
        try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: tls != nil))
    }

    private func start(_ channel: NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>, _ client: ClientConnection) {
        let executor = EventLoopTaskExecutor(channel.channel.eventLoop)
        // Unstructured, since it begins on the event loop; the bridge waits for it by counting connections.
        let task = Task(executorPreference: executor) {
            await ClientConnection.$current.withValue(client) {
                await http.handle(value: channel, logger: log)
            }
            connections.remove(client)
        }
        client.serve(on: executor) { task.cancel() }
    }
}

private struct TooManyConnections: Error {}
