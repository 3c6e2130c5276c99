import Glibc
import Logging
import NIOCore

/// Stops accepting for a moment when the system has no descriptor or memory for another connection.
///
/// The connection that could not be accepted stays in the queue, so the system reports it again at once and for ever, which takes a whole
/// core while there is the least of it to spare. The library's own handler for this only waits before it reads again, but the library goes
/// on watching a socket whose read never succeeded; switching automatic reading off makes it look away.
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = Any

    private static let length = TimeAmount.milliseconds(200)

    private var isPausing = false
    private var complaint: AcceptComplaint

    init(log: Logger) { complaint = AcceptComplaint(log) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.errnoCode) else {
            return context.fireErrorCaught(error)
        }
        complaint.accepting(failedWith: error.errnoCode)
        guard !isPausing else { return }
        isPausing = true
        try? context.channel.syncOptions?.setOption(.autoRead, value: false)
        let bound = NIOLoopBound((handler: self, channel: context.channel), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: Self.length) {
            bound.value.handler.isPausing = false
            try? bound.value.channel.syncOptions?.setOption(.autoRead, value: true)
        }
    }
}

@available(*, unavailable)
extension AcceptPause: Sendable {}
