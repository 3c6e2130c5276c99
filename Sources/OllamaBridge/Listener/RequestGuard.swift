import Foundation
import NIOCore
import NIOHTTP1

/// Stands right behind the HTTP parser on every connection: refuses requests whose framing or target is doubtful, keeps every phase of a
/// connection within its time, and tells the ``ClientConnection`` what happens.
///
/// SwiftNIO itself knows no timeouts, and accepts requests without Host, with two of them, or for another server.
final class RequestGuard: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum Phase {
        /// Between requests; nothing of the next one is here.
        case quiet(since: NIODeadline)
        case readingHead(since: NIODeadline)
        case readingBody(since: NIODeadline, lastByte: NIODeadline, bytes: Int)
        case answering
        /// Refused; what still comes is thrown away until the client closes.
        case refused(since: NIODeadline)
    }

    let client: ClientConnection
    private let limits: ListenerLimits
    /// Whether what is written here is not yet what goes over the wire.
    private let isEncrypted: Bool
    private var phase: Phase
    /// Requests whose answer has not been written to its end.
    private var unanswered = 0
    private var isHTTP10 = false
    private var isAnswerBegun = false
    /// The head of an answer has been written, and nothing else of it.
    private var isHeadAlone = false
    /// No request is taken after those already here.
    private var isLastRequestIn = false
    /// The last request offered another protocol. We stay with ours, but the parser stops behind such a request, and would keep whatever came.
    private var offersUpgrade = false
    private var isDeaf = false
    /// The answer being written said so.
    private var closesAfterAnswer = false
    /// Whether any byte of the head being read has come.
    private var hasBytes = false
    private var timer: (task: Scheduled<Void>, at: NIODeadline)?
    private var stall = WriteStall()
    private var pipelined = PipelinedRequests()
    /// Reading was asked for while requests wait that have been read already.
    private var isReadHeldBack = false
    /// Where the body being read goes from here.
    private var sink: BodySink?
    /// Where the bytes over the wire are those of HTTP.
    private let socketReader: SocketBodyReader?

    /// - Parameter socketReader: Of the same channel; nil if what comes over the wire is encrypted.
    init(client: ClientConnection, limits: ListenerLimits, socketReader: SocketBodyReader?) {
        self.client = client
        self.limits = limits
        self.socketReader = socketReader
        isEncrypted = socketReader == nil
        phase = .readingHead(since: .now())
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        client.attach(context.channel) {
            eventLoop.execute { bound.value.handler.sendContinue(bound.value.context) }
        } divertBody: { sink, count in
            eventLoop.inEventLoop ? bound.value.handler.divertBody(of: count, to: sink) : nil
        }
        arm(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.task.cancel()
        timer = nil
        client.detach()
    }

    // MARK: From the client

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .refused = phase { return }
        let part = unwrapInboundIn(data)
        if !pipelined.isEmpty { return pipelined.append(part) }
        if case .head = part, unanswered > 0 { return pipelined.append(part) }
        take(part, context)
    }

    private func take(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        switch part {
        case .head(let head):
            if isLastRequestIn { return }
            if let refusal = RequestRules.refusal(of: head, limits: limits) { return refuse(refusal, context) }
            isHTTP10 = head.version != .http1_1
            unanswered += 1
            offersUpgrade = head.headers.contains(name: "upgrade")
            isLastRequestIn = isHTTP10 || !head.isKeepAlive || offersUpgrade
            let now = NIODeadline.now()
            phase = .readingBody(since: now, lastByte: now, bytes: 0)
            client.requestBegan(awaitsContinue: RequestRules.awaitsContinue(head))
        case .body(let buffer):
            if case .readingBody(let since, _, let bytes) = phase {
                phase = .readingBody(since: since, lastByte: .now(), bytes: bytes + buffer.readableBytes)
            }
            if let sink {
                if socketReader?.isShowingStandIns != true { sink.take(buffer) }
                return
            }
        case .end:
            sink = nil
            isDeaf = offersUpgrade
            client.bodyEnded()
            phase = unanswered > 0 ? .answering : .quiet(since: .now())
        }
        context.fireChannelRead(wrapInboundOut(part))
    }

    func read(context: ChannelHandlerContext) {
        if isDeaf { return }
        if pipelined.isEmpty { context.read() } else { isReadHeldBack = true }
    }

    /// - Returns: Bytes of the body that have passed already; nil if all have.
    private func divertBody(of count: Int, to sink: BodySink) -> Int? {
        guard case .readingBody(_, _, let bytes) = phase else { return nil }
        self.sink = sink
        socketReader?.collect(count - bytes, into: sink)
        return bytes
    }

    private func takeNextPipelined(_ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        for part in pipelined.takeNext() {
            if case .refused = phase { return }
            take(part, context)
        }
        context.fireChannelReadComplete()
        arm(context)
        guard isReadHeldBack, pipelined.isEmpty else { return }
        isReadHeldBack = false
        context.read()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // Bytes came, but no whole head.
        if case .quiet = phase { phase = .readingHead(since: .now()) }
        hasBytes = true
        arm(context)
        context.fireChannelReadComplete()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .refused = phase { return }
        if isEncrypted, error.isMissingTLSFarewell { return }
        guard error is HTTPParserError else { return context.fireErrorCaught(error) }
        if case HTTPParserError.headerOverflow = error { return refuse(.requestHeaderFieldsTooLarge, context) }
        refuse(.badRequest, context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            client.left()
            if case .refused = phase { context.close(promise: nil) }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        client.left()
        context.fireChannelInactive()
    }

    // MARK: To the client

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .refused = phase {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(var head):
            if head.status.code < 200 { return context.write(data, promise: promise) }
            isAnswerBegun = true
            isHeadAlone = true
            if client.isClosing { isLastRequestIn = true }
            closesAfterAnswer = head.headers.contains(name: "connection") || (isLastRequestIn && unanswered == 1)
            // An HTTP/1.0 client knows no chunks: the end of the connection ends the answer.
            if isHTTP10 { head.version = .http1_0 }
            if closesAfterAnswer { head.headers.replaceOrAdd(name: "connection", value: "close") }
            stall.answerBegan()
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body(let body):
            isHeadAlone = false
            stall.wrote(body.readableBytes)
            context.write(data, promise: promise)
        case .end:
            isAnswerBegun = false
            isHeadAlone = false
            unanswered -= 1
            guard !closesAfterAnswer else { return writeLast(data, context, promise) }
            context.write(data, promise: promise)
            guard unanswered == 0 else { return }
            let now = NIODeadline.now()
            if case .answering = phase { phase = .quiet(since: now) }
            hasBytes = false
            client.answerEnded(at: now)
            guard !pipelined.isEmpty else { return }
            let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(deadline: pipelined.nextTime()) { bound.value.handler.takeNextPipelined(bound.value.context) }
        }
    }

    /// Whether the answer being written is one of chunks, and chunks are what goes over the wire.
    var writesChunks: Bool { isAnswerBegun && !isHTTP10 && !isEncrypted }

    /// Bytes of the answer went past this handler, to wait behind it until the client takes them.
    func noteWritten(_ bytes: Int) { stall.wrote(bytes) }

    func flush(context: ChannelHandlerContext) {
        arm(context)
        guard isHeadAlone else { return context.flush() }
        // The first lines of a stream are written right after its head, by the same task: one packet for both.
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        context.eventLoop.execute { bound.value.handler.flushHead(bound.value.context) }
    }

    private func flushHead(_ context: ChannelHandlerContext) {
        if isHeadAlone { context.flush() }
    }

    private func sendContinue(_ context: ChannelHandlerContext) {
        guard case .readingBody(_, _, 0) = phase, !isAnswerBegun else { return }
        context.writeAndFlush(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
    }

    /// Answers here and now, and lets the client read the answer before the connection goes.
    private func refuse(_ status: HTTPResponseStatus, _ context: ChannelHandlerContext) {
        // Another request's answer is on its way: nothing can be said in between.
        guard !isAnswerBegun, unanswered <= 1 else { return context.close(promise: nil) }
        let text = "\(status.code) \(status.reasonPhrase.lowercased())"
        let headers: HTTPHeaders = [
            "content-type": "text/plain; charset=utf-8", "content-length": "\(text.utf8.count)", "connection": "close",
            "date": Clock.httpDate(),
        ]
        context.write(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
        writeLast(NIOAny(HTTPServerResponsePart.end(nil)), context, nil)
        phase = .refused(since: .now())
        client.left()
        // Not only when the word is out: a client that stopped in the middle of a TLS handshake never hears it.
        arm(context)
    }

    /// Ends our side once everything is written, and the rest when the client has ended its own: closing at once would reset the
    /// connection before the client has read the answer.
    private func writeLast(_ end: NIOAny, _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?) {
        let promise = promise ?? context.eventLoop.makePromise()
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        promise.futureResult.whenSuccess {
            let (handler, context) = bound.value
            handler.phase = .refused(since: .now())
            context.close(mode: .output, promise: nil)
            handler.arm(context)
        }
        context.writeAndFlush(end, promise: promise)
    }

    // MARK: Time

    /// When the current phase ends by itself.
    private func deadline() -> NIODeadline {
        switch phase {
        case .quiet(let since): since + limits.keepAlive
        case .readingHead(let since): since + limits.headerTime
        case .readingBody(let since, let lastByte, let bytes):
            min(
                lastByte + limits.bodyIdle, since + limits.bodyTime,
                since + limits.bodyGrace + .milliseconds(Int64(bytes) * 1000 / Int64(limits.bodyBytesPerSecond)))
        case .answering: .now() + min(limits.writeStall / 4, limits.crowdedWriteStall / 2)
        case .refused(let since): since + limits.refusedBodyLinger
        }
    }

    /// Makes sure that the timer fires no later than the phase ends. It may fire earlier and then looks again, so that the usual request
    /// costs no timer at all.
    private func arm(_ context: ChannelHandlerContext) {
        let deadline = deadline()
        if let timer, timer.at <= deadline { return }
        timer?.task.cancel()
        let bound = NIOLoopBound((handler: self, context: context), eventLoop: context.eventLoop)
        timer = (context.eventLoop.scheduleTask(deadline: deadline) { bound.value.handler.timeIsUp(bound.value.context) }, deadline)
    }

    private func timeIsUp(_ context: ChannelHandlerContext) {
        timer = nil
        guard context.channel.isActive else { return }
        switch phase {
        case .answering:
            let limit = client.isInTheWay ? min(limits.crowdedWriteStall, limits.writeStall) : limits.writeStall
            if stall.isStalled(context.channel, limit: limit) { return context.close(promise: nil) }
        case .quiet, .refused:
            if deadline() <= .now() { return context.close(promise: nil) }
        case .readingHead, .readingBody:
            if deadline() <= .now() { return hasBytes ? refuse(.requestTimeout, context) : context.close(promise: nil) }
        }
        arm(context)
    }
}

extension TimeAmount {
    fileprivate static func / (amount: TimeAmount, divisor: Int64) -> TimeAmount { .nanoseconds(amount.nanoseconds / divisor) }
}

@available(*, unavailable)
extension RequestGuard: Sendable {}
