import CCurl

/// What libcurl calls, and the book of sockets that is kept with it.
extension CurlLoop {
    /// The pointer that libcurl hands back; the thread holds the loop until libcurl is gone.
    var context: UnsafeMutableRawPointer { unsafe Unmanaged.passUnretained(self).toOpaque() }

    static func from(_ context: UnsafeMutableRawPointer?) -> CurlLoop {
        unsafe Unmanaged<CurlLoop>.fromOpaque(context!).takeUnretainedValue()
    }

    func setUpMulti() {
        unsafe fetch_multi_set_callbacks(
            multi,
            { curl, descriptor, what, context, isKnown in
                let loop = unsafe CurlLoop.from(context)
                unsafe loop.watch(descriptor, what, for: curl, isKnown: isKnown != nil)
                return 0
            },
            { _, milliseconds, context in
                let loop = unsafe CurlLoop.from(context)
                loop.wantsCurl(in: milliseconds)
                return 0
            }, context)
        // One exchange at a time on a connection, HTTP/2 included: streams that share one share its window, and the bytes of one whose
        // reader is slow would fill it for all others.
        unsafe fetch_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
        unsafe fetch_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, engine.configuration.maxConnectionsPerHost)
    }

    /// - Parameter milliseconds: 0 for still in this turn of the loop, negative for never.
    private func wantsCurl(in milliseconds: Int) {
        curlDeadline =
            switch milliseconds {
            case ..<0: nil
            case 0: now
            default: fetch_monotonic_nanoseconds() + UInt64(milliseconds) * 1_000_000
            }
    }

    private func watch(_ descriptor: CInt, _ what: CInt, for curl: UnsafeMutableRawPointer?, isKnown: Bool) {
        let socket = sockets[descriptor]
        socket?.watched = what
        guard what != CURL_POLL_REMOVE else {
            // One that has been taken up again before will be again, and asked to be watched for the same. If it has something to say until
            // then, it is forgotten when it says so.
            if let socket, socket.hasRested, socket.polled != nil { return }
            socket?.polled = nil
            return fetch_poller_forget(poller, descriptor)
        }
        if !isKnown { unsafe curl_multi_assign(multi, descriptor, context) }
        if socket?.polled != what { poll(descriptor, what, isKnown: isKnown || socket?.polled != nil) }
        guard let curl = unsafe curl, let transfer = unsafe EasyHandle.user(of: curl), transfer.socket != descriptor else { return }
        transfer.socket = descriptor
        socket?.user = transfer
    }

    private func poll(_ descriptor: CInt, _ what: CInt, isKnown: Bool) {
        let isPolled = fetch_poller_watch(poller, descriptor, isKnown, what & CURL_POLL_IN != 0, what & CURL_POLL_OUT != 0) == 0
        sockets[descriptor]?.polled = isPolled ? what : nil
    }

    /// Stops polling a socket if nobody waits for what it has to say.
    ///
    /// - Returns: Whether it did.
    func forgetIfUnwatched(_ descriptor: CInt) -> Bool {
        guard let socket = sockets[descriptor], socket.polled != nil, socket.watched & CURL_POLL_INOUT == 0 else { return false }
        socket.polled = nil
        fetch_poller_forget(poller, descriptor)
        return true
    }

    func openSocket(for transfer: RunningTransfer, _ address: UnsafePointer<curl_sockaddr>) -> CInt {
        var port: UInt16 = 0
        guard transfer.mayDial(unsafe IPAddress(address, port: &port), port: port) else { return -1 }
        let descriptor = unsafe fetch_open_socket(address)
        guard descriptor >= 0 else { return -1 }
        let identity = fetch_socket_identity(descriptor)
        transfer.dialled.append((descriptor, identity))
        if let silent = sockets.replace(descriptor, with: OpenSocket(identity: identity)) {
            // The descriptor's number had a socket that libcurl closed without a word. It may believe that it is still watched, and would
            // not ask again.
            engine.gauges.changeConnections(by: -1)
            if silent.watched & CURL_POLL_INOUT != 0 {
                sockets[descriptor]?.watched = silent.watched
                poll(descriptor, silent.watched, isKnown: false)
            }
        }
        engine.gauges.changeConnections(by: 1)
        return descriptor
    }

    /// libcurl 7.88 closes sockets that never got to be a connection without calling back.
    func forgetSilentlyClosed(_ dialled: [(descriptor: CInt, identity: UInt64)]) {
        for (descriptor, identity) in dialled where sockets[descriptor]?.identity == identity {
            guard fetch_socket_identity(descriptor) != identity else { continue }
            _ = sockets.replace(descriptor, with: nil)
            engine.gauges.changeConnections(by: -1)
        }
    }

    func closeSocket(_ descriptor: CInt) -> CInt {
        if let socket = sockets.replace(descriptor, with: nil) {
            engine.gauges.changeConnections(by: -1)
            if rested[socket.localPort] == descriptor { rested[socket.localPort] = nil }
            if let user = socket.user {
                let facts = fetch_connection_facts_of(descriptor)
                user.connectionEnded(confirmedMore: facts.acknowledged > socket.confirmedAtRest, wasReset: facts.was_reset)
            }
        }
        return fetch_close(descriptor)
    }

    /// A connection has served its exchange and may serve another.
    func noteRest(of descriptor: CInt) {
        guard let socket = sockets[descriptor] else { return }
        socket.confirmedAtRest = fetch_connection_facts_of(descriptor).acknowledged
        guard !socket.hasRested else { return }
        socket.localPort = fetch_local_port(descriptor)
        rested[socket.localPort] = descriptor
    }

    /// An exchange has ended.
    func forgetUser(_ transfer: RunningTransfer) {
        for (descriptor, _) in transfer.dialled { forgetUser(transfer, of: descriptor) }
        forgetUser(transfer, of: transfer.socket)
    }

    private func forgetUser(_ transfer: RunningTransfer, of descriptor: CInt) {
        if let socket = sockets[descriptor], socket.user === transfer { socket.user = nil }
    }

    /// A transfer is about to send on a connection. One that is taken up again may die before libcurl names its socket.
    func connectionTaken(by transfer: RunningTransfer, localPort: UInt16) {
        guard let descriptor = rested[localPort], let socket = sockets[descriptor], socket.localPort == localPort else { return }
        transfer.socket = descriptor
        socket.user = transfer
        // What a peer said while nothing was asked is no answer to what is asked next, but libcurl would take it for one. Nothing of the
        // request has been sent, so libcurl goes on to another connection by itself. Under TLS tickets and farewells come unasked.
        // What the peer still confirms is our farewell.
        if transfer.isPlain, fetch_end_if_unread(descriptor) { socket.confirmedAtRest = .max }
    }
}
