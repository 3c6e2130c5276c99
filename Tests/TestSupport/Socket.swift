import Foundation

/// The few system calls that stubs need.
enum Socket {
    static func stream() -> CInt {
        socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
    }

    static func listen(_ descriptor: CInt, address: String, port: UInt16, queue: CInt = 4096) throws -> UInt16 {
        let port = try bind(descriptor, address: address, port: port)
        guard Foundation.listen(descriptor, queue) == 0 else { throw StubFailure.system(errno) }
        return port
    }

    static func bind(_ descriptor: CInt, address: String, port: UInt16) throws -> UInt16 {
        var one: CInt = 1
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<CInt>.size))
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        guard unsafe inet_pton(AF_INET, address, &name.sin_addr) == 1 else { throw StubFailure.system(EINVAL) }
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withUnsafeMutableBytes(of: &name) { bytes in
            let pointer = unsafe bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            guard unsafe Foundation.bind(descriptor, pointer, length) == 0 else { return errno }
            return unsafe getsockname(descriptor, pointer, &length) == 0 ? 0 : errno
        }
        guard status == 0 else { throw StubFailure.system(status) }
        return UInt16(bigEndian: name.sin_port)
    }

    static func unixStream() -> CInt {
        socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
    }

    static func listen(_ descriptor: CInt, path: String) throws {
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: name.sun_path) else { throw StubFailure.system(ENAMETOOLONG) }
        unsafe withUnsafeMutableBytes(of: &name.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let status = unsafe withUnsafeBytes(of: &name) { bytes in
            let pointer = unsafe bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            return unsafe Foundation.bind(descriptor, pointer, socklen_t(bytes.count)) == 0 && Foundation.listen(descriptor, 16) == 0
                ? 0 : errno
        }
        guard status == 0 else { throw StubFailure.system(status) }
    }

    static func connectWithoutWaiting(port: UInt16) -> CInt {
        let descriptor = stream()
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        unsafe withUnsafeBytes(of: &name) { bytes in
            let pointer = unsafe bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            _ = unsafe connect(descriptor, pointer, socklen_t(bytes.count))
        }
        return descriptor
    }

    static func dial(port: UInt16, patienceSeconds: Int) throws -> CInt {
        let descriptor = stream()
        giveUp(descriptor, afterSeconds: patienceSeconds)
        var one: CInt = 1
        unsafe setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<CInt>.size))
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return try dial(descriptor, to: name)
    }

    static func dial(unixSocket path: String, patienceSeconds: Int) throws -> CInt {
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        giveUp(descriptor, afterSeconds: patienceSeconds)
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &name.sun_path) { unsafe $0.copyBytes(from: path.utf8.prefix(100)) }
        return try dial(descriptor, to: name)
    }

    private static func dial(_ descriptor: CInt, to name: some BitwiseCopyable) throws -> CInt {
        let status = unsafe withUnsafeBytes(of: name) { bytes in
            let pointer = unsafe bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self)
            return unsafe Foundation.connect(descriptor, pointer, socklen_t(bytes.count)) == 0 ? 0 : errno
        }
        guard status == 0 else {
            close(descriptor)
            throw StubFailure.system(status)
        }
        return descriptor
    }

    private static func giveUp(_ descriptor: CInt, afterSeconds seconds: Int) {
        var patience = timeval(tv_sec: seconds, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    static func accept(_ descriptor: CInt) -> CInt? {
        while true {
            let accepted = Foundation.accept(descriptor, nil, nil)
            if accepted >= 0 {
                _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
                var one: CInt = 1
                unsafe setsockopt(accepted, CInt(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<CInt>.size))
                return accepted
            }
            guard errno == EINTR || errno == ECONNABORTED else { return nil }
        }
    }

    /// What has come; empty at the end; nil if the connection was cut.
    static func receive(_ descriptor: CInt) -> [UInt8]? {
        var failed = false
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 64 * 1024) { buffer, count in
            let got = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
            count = max(0, got)
            failed = got < 0
        }
        return failed ? nil : bytes
    }

    static func send(_ descriptor: CInt, _ bytes: ArraySlice<UInt8>, waiting: Bool = true) -> Int {
        let flags = CInt(MSG_NOSIGNAL) | (waiting ? 0 : CInt(MSG_DONTWAIT))
        return unsafe bytes.withUnsafeBytes { unsafe Foundation.send(descriptor, $0.baseAddress, $0.count, flags) }
    }

    static func waitUntilWritable(_ descriptor: CInt, milliseconds: CInt) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return unsafe poll(&entry, 1, milliseconds) > 0
    }

    static func waitUntilReadable(_ descriptor: CInt) {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = unsafe poll(&entry, 1, 60_000)
    }

    static func endWriting(_ descriptor: CInt) {
        _ = shutdown(descriptor, CInt(SHUT_WR))
    }

    static func shutDown(_ descriptor: CInt) {
        _ = shutdown(descriptor, CInt(SHUT_RDWR))
    }

    static func resetOnClose(_ descriptor: CInt) {
        var option = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    static func close(_ descriptor: CInt) {
        _ = Foundation.close(descriptor)
    }
}
