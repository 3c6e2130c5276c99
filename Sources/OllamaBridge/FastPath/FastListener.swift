import Fetch
import Glibc

/// Takes connections from a listening socket, on the fetcher's thread.
final class FastListener: SocketWatcher {
    private static let pauseTime: UInt64 = 200_000_000

    private let socket: CInt
    private let thread: FetchThread
    private let door: FastDoor
    private let scratch = FastScratch()
    private var complaint: AcceptComplaint
    /// Made when it is first needed.
    private var pause: FetchTimer?

    init(_ socket: CInt, _ thread: FetchThread, _ door: FastDoor) {
        self.socket = socket
        self.thread = thread
        self.door = door
        complaint = AcceptComplaint(door.front.log)
    }

    deinit { if let pause { thread.stop(pause) } }

    func becameReady(isWritable: Bool, hasEnded: Bool) { accept() }

    /// Takes all who stand in line: the system reports them once.
    private func accept() {
        while true {
            // Reading and writing never wait, whatever the socket is set to.
            let client = Glibc.accept(socket, nil, nil)
            if client >= 0 {
                _ = fcntl(client, F_SETFD, FD_CLOEXEC)
                FastConnection.serve(client, thread, door, scratch)
                continue
            }
            switch errno {
            case EINTR, ECONNABORTED: continue
            case EAGAIN: return
            // Whoever could not be accepted stays in line.
            case let code:
                complaint.accepting(failedWith: code)
                let pause = pause ?? FetchTimer { [unowned self] in accept() }
                self.pause = pause
                return thread.set(pause, to: thread.now + Self.pauseTime)
            }
        }
    }
}

@available(*, unavailable)
extension FastListener: Sendable {}
