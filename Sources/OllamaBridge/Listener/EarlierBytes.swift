import NIOCore

/// Lets a connection begin with bytes that were read from its socket before it became a channel, and then leaves.
final class EarlierBytes: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        // The channel reads for the first time after this event, so these are its first bytes.
        if !bytes.isEmpty {
            context.fireChannelRead(wrapInboundOut(ByteBuffer(bytes: bytes)))
            context.fireChannelReadComplete()
        }
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }
}

@available(*, unavailable)
extension EarlierBytes: Sendable {}
