import Glibc
import Logging
import NIOCore
import NIOPosix

/// One place where clients connect.
final class Listener: Sendable {
    enum Place: Sendable {
        case address(host: String, port: Int)
        case unixSocket(path: String)
    }

    /// The TCP port, where there is one.
    let port: Int?
    /// Long enough for connections that were being made to be taken from the queue, on a busy machine too; new ones go elsewhere meanwhile.
    private static let queueTime = Duration.milliseconds(250)

    /// A connection keeps its last buffer while its answer streams.
    static let receiveAllocator = AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 1024, maximum: 1 << 18)

    private let server: any Channel
    private let fast: (door: FastDoor, socket: CInt)?
    private let sharesPort: Bool
    private let socketFile: SocketFile?

    /// - Parameters:
    ///   - sharesPort: Lets another process listen on the same port meanwhile (SO_REUSEPORT).
    ///   - fast: Takes the connections; those of nil are taken by the server library.
    static func bind(
        _ place: Place, sharesPort: Bool = false, log: Logger, child: BridgeChannel, fast: FastDoor? = nil
    ) async throws -> Listener {
        var bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.autoRead, value: fast == nil)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(AcceptPause(log: log)) }
            }
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.recvAllocator, value: receiveAllocator)
            .childChannelInitializer { channel in channel.eventLoop.makeCompletedFuture { try child.serve(channel) } }
        if case .address = place { bootstrap = tcp(bootstrap) }
        if sharesPort { bootstrap = bootstrap.serverChannelOption(.socketOption(.init(rawValue: SO_REUSEPORT)), value: 1) }
        switch place {
        case .address(let host, let port):
            let server = try await bootstrap.bind(host: host, port: port).get()
            guard let fast else { return Listener(server, sharesPort: sharesPort) }
            return Listener(server, sharesPort: sharesPort, fast: (fast, try await listen(fast, server)))
        case .unixSocket(let path):
            let server = try await bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
            return Listener(server, socketFile: SocketFile(path))
        }
    }

    /// On Linux a connection inherits these from the socket it came through.
    private static func tcp(_ bootstrap: ServerBootstrap) -> ServerBootstrap {
        let userTimeout = NIOBSDSocket.Option(rawValue: 18)  // TCP_USER_TIMEOUT, which Glibc's module does not export
        return
            bootstrap
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            // A client that vanished without a FIN is noticed while bytes wait for it, and by probes while none do. Not below the
            // write stall, since the kernel counts a closed window as silence too.
            .serverChannelOption(.tcpOption(userTimeout), value: 60_000)
            .serverChannelOption(.socketOption(.so_keepalive), value: 1)
            .serverChannelOption(.tcpOption(.init(rawValue: 4)), value: 30)  // TCP_KEEPIDLE
            .serverChannelOption(.tcpOption(.init(rawValue: 5)), value: 10)  // TCP_KEEPINTVL
    }

    /// Lets the fast path take the connections of a socket that the library has bound and watches no more.
    private static func listen(_ fast: FastDoor, _ server: any Channel) async throws -> CInt {
        let socket = try await server.eventLoop.submit {
            try server.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
                fcntl($0, F_DUPFD_CLOEXEC, 0)
            } ?? -1
        }.get()
        guard socket >= 0 else { throw IOError(errnoCode: EMFILE, reason: "no descriptor for the listening socket") }
        fast.listen(on: socket)
        return socket
    }

    private init(
        _ server: any Channel, sharesPort: Bool = false, socketFile: SocketFile? = nil, fast: (door: FastDoor, socket: CInt)? = nil
    ) {
        self.server = server
        self.sharesPort = sharesPort
        self.socketFile = socketFile
        self.fast = fast
        port = server.localAddress?.port
    }

    /// Whether somebody takes connections at a Unix socket. Whoever binds it anew would take it from them.
    static func isInUse(_ path: String) async -> Bool {
        guard
            let channel = try? await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup).connect(unixDomainSocketPath: path).get()
        else { return false }
        try? await channel.close()
        return true
    }

    /// The server libraries' own lines are for their developers.
    static func quiet(_ log: Logger) -> Logger {
        var quiet = log
        quiet.logLevel = log.logLevel <= .debug ? log.logLevel : .critical
        return quiet
    }

    func stopAccepting() async {
        if sharesPort { await leaveNewConnectionsToOthers() }
        socketFile?.remove()
        if let fast { await fast.door.closeListening(fast.socket) }
        try? await server.close()
    }

    /// Closing a listening socket resets the connections that wait in its queue. So the kernel is first asked to hand new ones to the
    /// process that came after us, and those already queued are taken.
    private func leaveNewConnectionsToOthers() async {
        guard let socket = server as? any SocketOptionProvider else { return }
        let attachFilter = NIOBSDSocket.Option(rawValue: 51)  // SO_ATTACH_REUSEPORT_CBPF
        try? await socket.unsafeSetSocketOption(level: .socket, name: attachFilter, value: SecondSocketFilter.program).get()
        try? await Task.sleep(for: Self.queueTime)
    }
}

/// The file by which clients find a Unix socket.
private struct SocketFile: Sendable {
    private let path: String
    private let inode: UInt64?

    init(_ path: String) {
        self.path = path
        inode = Self.inode(path)
    }

    /// Only while it is still ours: a process that took over has put its own in the same place.
    func remove() {
        if inode != nil, Self.inode(path) == inode { _ = unsafe unlink(path) }
    }

    private static func inode(_ path: String) -> UInt64? {
        var status = stat()
        return unsafe lstat(path, &status) == 0 ? UInt64(status.st_ino) : nil
    }
}

/// A classic BPF program of one instruction, "return 1": of the sockets that share a port, take the second. Ours is the first, since we
/// bound before the process that takes over; if there is no second the kernel falls back to its own choice.
private enum SecondSocketFilter {
    /// `struct sock_fprog`: a count, padding, and the address of the instructions.
    struct Program: Sendable {
        var count: UInt64
        var instructions: UInt
    }

    static let program: Program = {
        let instruction = UnsafeMutablePointer<UInt64>.allocate(capacity: 1)
        unsafe instruction.initialize(to: 0x0000_0001_0000_0006)  // BPF_RET | BPF_K with k = 1; little endian
        return Program(count: UInt64(1).littleEndian, instructions: UInt(bitPattern: instruction))
    }()
}
