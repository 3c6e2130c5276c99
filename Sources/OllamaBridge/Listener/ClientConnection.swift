import NIOCore
import NIOHTTPTypes
import Synchronization

/// One client's connection: knows whether the client is still there, and stops the work done for it when it leaves.
///
/// A FIN counts as leaving, as it does for Ollama: clients that give up close, and waiting for a failed write would keep the upstream busy.
final class ClientConnection: Sendable {
    private struct State {
        var hasLeft = false
        var isInferring = false
        var cancel: (@Sendable () -> Void)?
    }

    /// The connection whose request the current task answers.
    @TaskLocal static var current: ClientConnection?

    private let state = Mutex(State())

    var hasLeft: Bool { state.withLock { $0.hasLeft } }

    /// - Parameter cancel: Cancels the task that serves this connection.
    func serve(cancel: @escaping @Sendable () -> Void) {
        state.withLock { $0.cancel = cancel }
    }

    func left() {
        let cancel = state.withLock { state in
            state.hasLeft = true
            return state.isInferring ? state.cancel : nil
        }
        cancel?()
    }

    /// Marks the work that must stop when the client leaves. Cheap answers are finished instead: a client may half-close and still read.
    func setInferring(_ isInferring: Bool) {
        let cancel = state.withLock { state in
            state.isInferring = isInferring
            return isInferring && state.hasLeft ? state.cancel : nil
        }
        cancel?()
    }
}

/// Tells a ``ClientConnection`` when its client has left.
final class ClientWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart

    let client = ClientConnection()

    func channelInactive(context: ChannelHandlerContext) {
        client.left()
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { client.left() }
        context.fireUserInboundEventTriggered(event)
    }
}
