import CCurl

/// The engine's thread: waits for sockets, times and orders, and lets libcurl work on what is ready.
///
/// What one event costs does not depend on how many transfers rest: epoll names the ready ones, and libcurl is told only about those.
@safe final class CurlLoop {
    private static let pooledHandles = 64

    let engine: CurlEngine
    /// The time of this round, in nanoseconds on the monotonic clock.
    private(set) var now: UInt64 = 0
    /// Transfers with bytes to hand on.
    var touched: [RunningTransfer] = []
    private let poller: CInt
    private var multi: UnsafeMutableRawPointer
    private var running: [ObjectIdentifier: RunningTransfer] = [:]
    private var deadlines = DeadlineHeap<RunningTransfer>()
    private var sockets: [CInt: OpenSocket] = [:]
    /// Connections that have rested, by our own end's port: all that libcurl says about one it takes up again.
    private var rested: [UInt16: CInt] = [:]
    private var handles: [EasyHandle] = []
    private var orders: [CurlEngine.Order] = []
    /// When libcurl wants to be called for its own timers.
    private var curlDeadline: UInt64?
    /// When connections that nobody uses are closed.
    private var restDeadline: UInt64?
    private var stopRequests: [Waiter<Void>?] = []

    private struct OpenSocket {
        let identity: UInt64
        /// What libcurl wants to hear about it: `CURL_POLL_IN` and its kin.
        var watched = CURL_POLL_NONE
        weak var user: RunningTransfer?
        /// What the peer had confirmed when the connection came to rest.
        var confirmedAtRest: UInt64 = 0
        /// Our own end's port, known once the connection has rested; 0 before.
        var localPort: UInt16 = 0
    }

    init(_ engine: CurlEngine) {
        EasyHandle.prepareLibrary()
        self.engine = engine
        poller = fetch_poller_create()
        guard poller >= 0, let multi = unsafe curl_multi_init() else { fatalError("no descriptor or memory left for the fetcher") }
        unsafe self.multi = unsafe multi
        _ = fetch_poller_watch(poller, engine.wakeDescriptor, false, true, false)
        setUpMulti()
    }

    /// Runs until the engine is told to stop.
    func run() {
        var events = [fetch_event](repeating: fetch_event(), count: 64)
        while stopRequests.isEmpty {
            let wait = timeToWait()
            let count = unsafe fetch_poller_wait(poller, &events, 64, wait)
            now = fetch_monotonic_nanoseconds()
            for index in 0..<Int(count) { handle(events[index]) }
            runCurlTimers()
            runDeadlines()
            carryOutOrders()
            closeResting()
        }
        tearDown()
    }

    private func timeToWait() -> Int64 {
        var next: UInt64 = .max
        if let first = deadlines.first { next = first.deadline }
        if let curlDeadline { next = min(next, curlDeadline) }
        if let restDeadline { next = min(next, restDeadline) }
        guard next < .max else { return -1 }
        let now = fetch_monotonic_nanoseconds()
        return next > now ? Int64(clamping: next - now) : 0
    }

    // MARK: What became ready

    private func handle(_ event: fetch_event) {
        if event.descriptor == engine.wakeDescriptor {
            // Orders are taken at the end of the round, after the events that were there before them.
            fetch_wake_clear(engine.wakeDescriptor)
            return
        }
        var bits: CInt = 0
        if event.readable { bits |= CURL_CSELECT_IN }
        if event.writable { bits |= CURL_CSELECT_OUT }
        // Not CURL_CSELECT_ERR: told so, libcurl gives up without looking at the socket, and without its second thoughts about connections
        // that died while they rested. Reading and writing find out what is wrong.
        if event.failed { bits |= CURL_CSELECT_IN | CURL_CSELECT_OUT }
        drive(event.descriptor, bits)
    }

    private func drive(_ descriptor: CInt, _ bits: CInt) {
        var left: CInt = 0
        unsafe curl_multi_socket_action(multi, descriptor, bits, &left)
        // What has ended goes first: its reader is woken once, for head, bytes and end together.
        finishDone()
        flushTouched()
    }

    private func flushTouched() {
        guard !touched.isEmpty else { return }
        for transfer in touched { transfer.flush() }
        touched.removeAll(keepingCapacity: true)
    }

    private func runCurlTimers() {
        while let due = curlDeadline, due <= now {
            curlDeadline = nil
            drive(-1, 0)
        }
    }

    private func finishDone() {
        var code = CURLE_OK
        while let curl = unsafe fetch_multi_next_done(multi, &code) {
            guard let transfer = unsafe RunningTransfer.of(curl) else { continue }
            let error = transfer.failure ?? (code == CURLE_OK ? nil : FetchError(code, words: transfer.handle.lastWords))
            finish(transfer, error)
        }
    }

    // MARK: Time

    func scheduleDeadline(of transfer: RunningTransfer) {
        deadlines.set(transfer, to: transfer.nextDeadline)
    }

    private func runDeadlines() {
        while let transfer = deadlines.first, transfer.deadline <= now {
            // Bytes move the time without telling the heap; only now does it matter.
            let next = transfer.nextDeadline
            if next > now {
                deadlines.set(transfer, to: next)
            } else {
                finish(transfer, .timedOut(transfer.expiredPhase))
            }
        }
    }

    /// libcurl closes a connection that rested too long only when it next looks for one. With no transfer left it never looks, so the
    /// whole pool is let go of.
    private func closeResting() {
        if !running.isEmpty || engine.gauges.connections == 0 {
            restDeadline = nil
        } else if let due = restDeadline {
            guard due <= now else { return }
            restDeadline = nil
            unsafe curl_multi_cleanup(multi)
            guard let fresh = unsafe curl_multi_init() else { fatalError("out of memory") }
            unsafe multi = unsafe fresh
            setUpMulti()
        } else {
            restDeadline = now + UInt64(max(1, engine.configuration.idleConnectionAge.components.seconds)) * 1_000_000_000
        }
    }

    // MARK: Orders

    private func carryOutOrders() {
        // A few rounds, because jobs that run here give orders in turn; more wait for the next turn of the loop.
        for _ in 0..<8 {
            engine.takeOrders(into: &orders)
            guard !orders.isEmpty else { return }
            for order in orders { carryOut(order) }
            orders.removeAll(keepingCapacity: true)
        }
        fetch_wake(engine.wakeDescriptor)
    }

    private func carryOut(_ order: CurlEngine.Order) {
        switch order {
        case .start(let transfer):
            start(transfer)
        case .resume(let transfer):
            running[ObjectIdentifier(transfer)]?.resume()
            flushTouched()
        case .cancel(let transfer):
            if let transfer = running[ObjectIdentifier(transfer)] { finish(transfer, .cancelled) }
        case .run(let job):
            job.run(on: engine.executor)
        case .stop(let waiter):
            stopRequests.append(waiter)
        }
    }

    private func start(_ transfer: Transfer) {
        guard let request = transfer.takeRequest() else { return }
        let handle = handles.popLast() ?? EasyHandle()
        do throws(FetchError) {
            let started = try RunningTransfer(transfer, request, handle: handle, loop: self)
            running[ObjectIdentifier(transfer)] = started
            engine.gauges.setTransfers(running.count)
            scheduleDeadline(of: started)
            limitConnections()
            let code = unsafe curl_multi_add_handle(multi, handle.curl)
            if code != CURLM_OK { finish(started, .couldNotConnect(detail: unsafe String(cString: curl_multi_strerror(code)))) }
        } catch {
            handle.reset()
            handles.append(handle)
            transfer.ended(error)
        }
    }

    private func finish(_ transfer: RunningTransfer, _ error: FetchError?) {
        deadlines.remove(transfer)
        running[ObjectIdentifier(transfer.transfer)] = nil
        // Closes the connection unless the exchange was complete.
        unsafe curl_multi_remove_handle(multi, transfer.handle.curl)
        forgetSilentlyClosed(transfer.dialled)
        if error == nil { noteRest(of: transfer.socket) }
        transfer.handle.reset()
        if handles.count < Self.pooledHandles { handles.append(transfer.handle) }
        engine.gauges.setTransfers(running.count)
        limitConnections()
        transfer.end(error)
    }

    /// A connection has served its exchange and may serve another.
    private func noteRest(of descriptor: CInt) {
        guard var socket = sockets[descriptor] else { return }
        socket.confirmedAtRest = fetch_connection_facts_of(descriptor).acknowledged
        socket.user = nil
        if socket.localPort == 0 {
            socket.localPort = fetch_local_port(descriptor)
            rested[socket.localPort] = descriptor
        }
        sockets[descriptor] = socket
    }

    /// A transfer is about to send on a connection. One that is taken up again may die before libcurl names its socket.
    func connectionTaken(by transfer: RunningTransfer, localPort: UInt16) {
        guard let descriptor = rested[localPort], sockets[descriptor]?.localPort == localPort else { return }
        transfer.socket = descriptor
        sockets[descriptor]?.user = transfer
    }

    /// libcurl counts busy connections too, so the limit moves with the work. Over it, each exchange that ends closes one resting connection.
    private func limitConnections() {
        unsafe fetch_multi_set_long(multi, CURLMOPT_MAXCONNECTS, running.count + engine.configuration.maxIdleConnections)
    }

    private func tearDown() {
        for transfer in Array(running.values) { finish(transfer, .shutDown) }
        handles = []
        unsafe curl_multi_cleanup(multi)
        _ = fetch_close(poller)
        for order in engine.close() { engine.refuse(order) }
        for waiter in stopRequests { waiter?.resume(()) }
    }
}

// MARK: What libcurl calls

extension CurlLoop {
    /// The pointer that libcurl hands back; the thread holds the loop until libcurl is gone.
    var context: UnsafeMutableRawPointer { unsafe Unmanaged.passUnretained(self).toOpaque() }

    static func from(_ context: UnsafeMutableRawPointer?) -> CurlLoop {
        unsafe Unmanaged<CurlLoop>.fromOpaque(context!).takeUnretainedValue()
    }

    private func setUpMulti() {
        unsafe fetch_multi_set_callbacks(
            multi,
            { curl, descriptor, what, context, isKnown in
                let loop = unsafe CurlLoop.from(context)
                unsafe loop.watch(descriptor, what, for: curl, isKnown: isKnown != nil)
                return 0
            },
            { _, milliseconds, context in
                let loop = unsafe CurlLoop.from(context)
                loop.curlDeadline = milliseconds < 0 ? nil : fetch_monotonic_nanoseconds() + UInt64(milliseconds) * 1_000_000
                return 0
            }, context)
        // One exchange at a time on a connection, HTTP/2 included: streams that share one share its window, and the bytes of one whose
        // reader is slow would fill it for all others.
        unsafe fetch_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_NOTHING))
        unsafe fetch_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, engine.configuration.maxConnectionsPerHost)
    }

    private func watch(_ descriptor: CInt, _ what: CInt, for curl: UnsafeMutableRawPointer?, isKnown: Bool) {
        sockets[descriptor]?.watched = what
        guard what != CURL_POLL_REMOVE else { return fetch_poller_forget(poller, descriptor) }
        if !isKnown { unsafe curl_multi_assign(multi, descriptor, context) }
        poll(descriptor, what, isKnown: isKnown)
        guard let curl = unsafe curl, let transfer = unsafe RunningTransfer.of(curl), transfer.socket != descriptor else { return }
        transfer.socket = descriptor
        sockets[descriptor]?.user = transfer
    }

    private func poll(_ descriptor: CInt, _ what: CInt, isKnown: Bool) {
        _ = fetch_poller_watch(poller, descriptor, isKnown, what & CURL_POLL_IN != 0, what & CURL_POLL_OUT != 0)
    }

    func openSocket(for transfer: RunningTransfer, _ address: UnsafePointer<curl_sockaddr>) -> CInt {
        var port: UInt16 = 0
        guard transfer.mayDial(unsafe IPAddress(address, port: &port), port: port) else { return -1 }
        let descriptor = unsafe fetch_open_socket(address)
        guard descriptor >= 0 else { return -1 }
        let identity = fetch_socket_identity(descriptor)
        transfer.dialled.append((descriptor, identity))
        if let silent = sockets.updateValue(OpenSocket(identity: identity), forKey: descriptor) {
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
    private func forgetSilentlyClosed(_ dialled: [(descriptor: CInt, identity: UInt64)]) {
        for (descriptor, identity) in dialled where sockets[descriptor]?.identity == identity {
            guard fetch_socket_identity(descriptor) != identity else { continue }
            sockets[descriptor] = nil
            engine.gauges.changeConnections(by: -1)
        }
    }

    func closeSocket(_ descriptor: CInt) -> CInt {
        if let socket = sockets.removeValue(forKey: descriptor) {
            engine.gauges.changeConnections(by: -1)
            if rested[socket.localPort] == descriptor { rested[socket.localPort] = nil }
            if let user = socket.user {
                let facts = fetch_connection_facts_of(descriptor)
                user.connectionEnded(confirmedMore: facts.acknowledged > socket.confirmedAtRest, wasReset: facts.was_reset)
            }
        }
        return fetch_close(descriptor)
    }
}
