import Glibc
import Logging
import NIOCore

/// Says in the log, now and then, that no connection can be accepted.
struct AcceptComplaint {
    /// Between two lines.
    private static let silence = TimeAmount.minutes(1)

    private let log: Logger
    private var last: NIODeadline?

    init(_ log: Logger) { self.log = log }

    /// - Parameter code: The system's number for the error.
    mutating func accepting(failedWith code: CInt) {
        let now = NIODeadline.now()
        if let last, now < last + Self.silence { return }
        last = now
        log.warning(
            "No connection can be accepted for now; raise the limit of open files (ulimit -n) or lower --max-connections",
            metadata: ["reason": "\(unsafe String(cString: strerror(code)))"])
    }
}
