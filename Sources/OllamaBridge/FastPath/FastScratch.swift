import Glibc

/// What all connections of one thread have in common.
@safe final class FastScratch {
    enum Outcome {
        case bytes([UInt8])
        /// There is nothing at the moment.
        case nothing
        /// The peer has ended its side, or the connection is broken.
        case ended
    }

    /// As long as the longest request of the fast path: one that fills it is none.
    static let capacity = PlainRequest.longest + 1
    /// Where bytes are read into, from one socket after the other.
    private let memory = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)

    /// The host that was last found to be allowed: nearly all clients of a bridge use the same.
    private var allowedHost: [UInt8] = []

    deinit { unsafe memory.deallocate() }

    func read(from socket: CInt) -> Outcome {
        while true {
            let count = unsafe recv(socket, memory, Self.capacity, CInt(MSG_DONTWAIT))
            if count > 0 { return .bytes(unsafe Array(UnsafeRawBufferPointer(start: memory, count: count))) }
            if count == 0 { return .ended }
            switch errno {
            case EINTR: continue
            case EAGAIN: return .nothing
            default: return .ended
            }
        }
    }

    func allows(_ host: ArraySlice<UInt8>, _ check: HostCheck) -> Bool {
        if host.elementsEqual(allowedHost) { return true }
        guard check.allows(String(decoding: host, as: UTF8.self)) else { return false }
        allowedHost = Array(host)
        return true
    }
}
