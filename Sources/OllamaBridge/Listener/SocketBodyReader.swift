import NIOCore

/// Stands before the HTTP parser of a plain connection, and reads large bodies from the socket straight to where they are collected.
///
/// SwiftNIO reads into buffers of its own, from which every byte would be copied once more. The parser, which counts a body's bytes and does
/// not look at them, is shown stand-ins.
final class SocketBodyReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    /// Bytes taken at once: few enough to be in the processor's cache still when they are looked at.
    private static let share = 1 << 18
    private static let standIns = ByteBuffer(repeating: 0, count: share)
    /// What SwiftNIO itself reads to find out that something has come.
    private static let noticeAllocator = FixedSizeRecvByteBufferAllocator(capacity: 1024)

    /// Whether what comes from the parser stands for bytes that are in the sink already.
    private(set) var isShowingStandIns = false
    private var sink: BodySink?
    /// Bytes of the body that have not come.
    private var missing = 0
    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// - Parameter count: Bytes of the body that have not been through here.
    func collect(_ count: Int, into sink: BodySink) {
        missing = count
        self.sink = sink
        read(by: Self.noticeAllocator)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard sink != nil else { return context.fireChannelRead(data) }
        missing -= unwrapInboundIn(data).readableBytes
        context.fireChannelRead(data)
        receive(context)
    }

    private func receive(_ context: ChannelHandlerContext) {
        guard let sink, missing > 0, let count = sink.receive(atMost: min(missing, Self.share), on: context) else { return finish() }
        guard count > 0, let standIns = Self.standIns.getSlice(at: 0, length: count) else { return }
        missing -= count
        isShowingStandIns = true
        context.fireChannelRead(wrapInboundOut(standIns))
        isShowingStandIns = false
        if missing == 0 { finish() }
    }

    private func finish() {
        guard sink != nil else { return }
        sink = nil
        read(by: Listener.receiveAllocator)
    }

    private func read(by allocator: any RecvByteBufferAllocator) {
        try? context?.channel.syncOptions?.setOption(.recvAllocator, value: allocator)
    }
}

extension BodySink {
    /// - Returns: How many bytes were taken; nil if they would not be kept.
    fileprivate func receive(atMost count: Int, on context: ChannelHandlerContext) -> Int? {
        let pipeline = context.pipeline.syncOperations
        return try? pipeline.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { receive(atMost: count, from: $0) } ?? nil
    }
}

@available(*, unavailable)
extension SocketBodyReader: Sendable {}
