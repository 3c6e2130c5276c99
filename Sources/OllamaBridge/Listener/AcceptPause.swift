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
    /// Between two lines in the log.
    private static let silence = TimeAmount.minutes(1)

    private let log: Logger
    private var isPausing = false
    private var lastComplaint: NIODeadline?

    init(log: Logger) { self.log = log }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError, [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(error.errnoCode) else {
            return context.fireErrorCaught(error)
        }
        complain(error)
        guard !isPausing else { return }
        isPausing = true
        try? context.channel.syncOptions?.setOption(.autoRead, value: false)
        let bound = NIOLoopBound((handler: self, channel: context.channel), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: Self.length) {
            bound.value.handler.isPausing = false
            try? bound.value.channel.syncOptions?.setOption(.autoRead, value: true)
        }
    }

    private func complain(_ error: IOError) {
        let now = NIODeadline.now()
        if let lastComplaint, now < lastComplaint + Self.silence { return }
        lastComplaint = now
        log.warning(
            "No connection can be accepted for now; raise the limit of open files (ulimit -n) or lower --max-connections",
            metadata: ["reason": "\(unsafe String(cString: strerror(error.errnoCode)))"])
    }
}

@available(*, unavailable)
extension AcceptPause: Sendable {}
