import Foundation
import NIOCore
import NIOHTTP1

/// The way round the server library for the lines of a streamed answer: they are written to the client's socket by the thread on which the
/// upstream's bytes came in.
///
/// A token that crosses from the fetcher's thread to the connection's event loop costs two wake-ups and a dozen allocations more than the
/// write itself. So the head, the first lines and the end of an answer go through the library, and what lies between goes straight to the
/// socket as HTTP chunks. Both never write at once: the direct way is opened when everything before it has reached the system, and what
/// the socket does not take at once is handed to the event loop and waited for.
struct ClientLine: Sendable {
    private let channel: any Channel

    init(_ channel: any Channel) { self.channel = channel }

    /// Waits until everything written so far has reached the system, then lends the socket.
    ///
    /// - Returns: nil where the library has to write: for a client that knows no chunks (HTTP/1.0) or speaks TLS, a channel without a socket of its own, a
    ///   process without a descriptor to spare.
    func open() async throws -> DirectSocket? {
        let channel = channel
        // The usual case: the task runs on the connection's event loop, and the system took all that it wrote.
        if channel.eventLoop.inEventLoop, try channel.syncOptions?.getOption(.bufferedWritableBytes) == 0 { return try Self.lend(channel) }
        return try await channel.eventLoop.flatSubmit {
            let flushed = channel.eventLoop.makePromise(of: Void.self)
            do {
                // Writes are finished in order, so an empty one is finished when all before it are.
                try Self.writeBelowEncoder(ByteBuffer(), on: channel, promise: flushed)
            } catch {
                flushed.fail(error)
            }
            return flushed.futureResult.flatMapThrowing { try Self.lend(channel) }
        }.get()
    }

    /// On the event loop.
    private static func lend(_ channel: any Channel) throws -> DirectSocket? {
        let operations = channel.pipeline.syncOperations
        guard try operations.handler(type: RequestGuard.self).writesChunks else { return nil }
        return try operations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { DirectSocket(copying: $0) } ?? nil
    }

    /// Writes bytes as they are, and waits until the system has taken them all.
    func write(_ bytes: ArraySlice<UInt8>) async throws {
        let channel = channel
        let buffer = ByteBuffer(bytes: bytes)
        try await channel.eventLoop.flatSubmit {
            let taken = channel.eventLoop.makePromise(of: Void.self)
            do {
                try channel.pipeline.syncOperations.handler(type: RequestGuard.self).noteWritten(buffer.readableBytes)
                try Self.writeBelowEncoder(buffer, on: channel, promise: taken)
            } catch {
                taken.fail(error)
            }
            return taken.futureResult
        }.get()
    }

    private static func writeBelowEncoder(_ buffer: ByteBuffer, on channel: any Channel, promise: EventLoopPromise<Void>) throws {
        let context = try channel.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
        context.writeAndFlush(NIOAny(IOData.byteBuffer(buffer)), promise: promise)
    }
}

/// A descriptor of our own for a client's socket, so that the number cannot come to mean another client while we write.
final class DirectSocket: Sendable {
    private let descriptor: CInt

    /// - Returns: nil when the process has no descriptor left.
    init?(copying socket: CInt) {
        let copy = fcntl(socket, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { return nil }
        descriptor = copy
    }

    deinit { close(descriptor) }

    /// Writes what the system takes at once.
    ///
    /// - Returns: How many bytes it took; 0 when its buffer is full.
    /// - Throws: `CancellationError` when the client has left.
    func write(_ bytes: [UInt8]) throws(CancellationError) -> Int {
        let count = unsafe bytes.withUnsafeBytes { unsafe send(descriptor, $0.baseAddress, $0.count, Self.flags) }
        if count >= 0 { return count }
        guard errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR else { throw CancellationError() }
        return 0
    }

    private static let flags = CInt(MSG_NOSIGNAL | MSG_DONTWAIT)
}
