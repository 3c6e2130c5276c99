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
    let poller: CInt
    var multi: UnsafeMutableRawPointer
    private var running: [ObjectIdentifier: RunningTransfer] = [:]
    private var deadlines = DeadlineHeap<RunningTransfer>()
    var sockets = DescriptorTable<OpenSocket>()
    /// Connections that have rested, by our own end's port: all that libcurl says about one it takes up again.
    var rested: [UInt16: CInt] = [:]
    private var handles: [EasyHandle] = []
    private var orders: [CurlEngine.Order] = []
    /// When libcurl wants to be called for its own timers.
    var curlDeadline: UInt64?
    /// When connections that nobody uses are closed.
    private var restDeadline: UInt64?
    private var stopRequests: [Waiter<Void>?] = []
    /// Descriptors that are not libcurl's.
    var guests = DescriptorTable<Guest>()
    var timers = DeadlineHeap<FetchTimer>()
    private(set) lazy var thread = FetchThread(self)

    struct Guest {
        let tag: UInt32
        let watcher: any SocketWatcher
    }

    /// A socket that libcurl opened through us.
    final class OpenSocket {
        let identity: UInt64
        /// What libcurl wants to hear about it: `CURL_POLL_IN` and its kin.
        var watched = CURL_POLL_NONE
        /// What the poller reports of it; nil for nothing. It may still be polled for a while when libcurl has stopped watching.
        var polled: CInt?
        /// Whose exchange it carries, until that has ended.
        var user: RunningTransfer?
        /// What the peer had confirmed when the connection came to rest.
        var confirmedAtRest: UInt64 = 0
        /// Our own end's port, known once the connection has rested; 0 before.
        var localPort: UInt16 = 0
        var hasRested: Bool { localPort != 0 }

        init(identity: UInt64) { self.identity = identity }
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
        let batch = 64
        var events = [fetch_event](repeating: fetch_event(), count: batch)
        var fullRounds = 0
        while stopRequests.isEmpty {
            let wait = timeToWait()
            let count = unsafe fetch_poller_wait(poller, &events, CInt(batch), wait)
            now = fetch_monotonic_nanoseconds()
            for index in 0..<Int(count) { handle(events[index]) }
            runCurlTimers()
            // After a full batch more may be waiting to be seen, and a transfer must not be too late for what has long arrived. But a flood
            // on some must not keep the others' limits from being noticed either.
            fullRounds = count == batch ? fullRounds + 1 : 0
            if fullRounds.isMultiple(of: 64) { runDeadlines() }
            fireTimers()
            // Last of those that may give orders: the thread looks for its own only here.
            carryOutOrders()
            closeResting()
        }
        tearDown()
    }

    private func timeToWait() -> Int64 {
        var next: UInt64 = .max
        if let first = deadlines.first { next = first.deadline }
        if let first = timers.first { next = min(next, first.deadline) }
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
        if event.tag != 0 {
            guard let guest = guests[event.descriptor], guest.tag == event.tag else { return }
            return guest.watcher.becameReady(isWritable: event.writable, hasEnded: event.closed)
        }
        if forgetIfUnwatched(event.descriptor) { return }
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
            guard let transfer = unsafe EasyHandle.user(of: curl) else { continue }
            let error = transfer.failure ?? (code == CURLE_OK ? nil : transfer.meaning(of: code))
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

    private func fireTimers() {
        while let timer = timers.first, timer.deadline <= now {
            timers.remove(timer)
            timer.fire()
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
        // A few rounds, because what is handed on here can make this thread give orders in turn; more wait for the next turn of the loop.
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
            guard let request = transfer.takeRequest() else { return }
            do throws(FetchError) {
                try start(transfer, request)
            } catch {
                transfer.ended(error)
            }
        case .resume(let transfer):
            guard let transfer = running[ObjectIdentifier(transfer)] else { return }
            if let error = transfer.resume() { finish(transfer, error) }
            flushTouched()
        case .cancel(let transfer):
            if let transfer = running[ObjectIdentifier(transfer)] { finish(transfer, .cancelled) }
        case .perform(let work, let waiter):
            work(thread)
            waiter?.resume(())
        case .stop(let waiter):
            stopRequests.append(waiter)
        }
    }

    /// - Throws: What is wrong with the request itself.
    func start(_ transfer: Transfer, _ request: FetchRequest, _ receiver: (any FetchReceiver)? = nil) throws(FetchError) {
        let handle = takeHandle(for: request.head)
        let started: RunningTransfer
        do {
            started = try RunningTransfer(transfer, request, receiver: receiver, handle: handle, loop: self)
        } catch {
            handles.append(handle)
            throw error
        }
        running[ObjectIdentifier(transfer)] = started
        engine.gauges.setTransfers(running.count)
        scheduleDeadline(of: started)
        limitConnections()
        let code = unsafe curl_multi_add_handle(multi, handle.curl)
        if code != CURLM_OK { finish(started, .couldNotConnect(detail: unsafe String(cString: curl_multi_strerror(code)))) }
    }

    /// One that has served the like, where there is one: little has to be set on it.
    private func takeHandle(for head: RequestHead) -> EasyHandle {
        guard let place = handles.lastIndex(where: { $0.isSet(to: head) }) else { return handles.popLast() ?? EasyHandle(self) }
        handles.swapAt(place, handles.endIndex - 1)
        return handles.removeLast()
    }

    private func finish(_ transfer: RunningTransfer, _ error: FetchError?) {
        deadlines.remove(transfer)
        running[ObjectIdentifier(transfer.transfer)] = nil
        // Closes the connection unless the exchange was complete.
        unsafe curl_multi_remove_handle(multi, transfer.handle.curl)
        forgetSilentlyClosed(transfer.dialled)
        if error == nil { noteRest(of: transfer.socket) }
        forgetUser(transfer)
        transfer.handle.rest(leftTraces: error != nil || transfer.hasLeftTraces)
        if handles.count < Self.pooledHandles { handles.append(transfer.handle) }
        engine.gauges.setTransfers(running.count)
        limitConnections()
        transfer.end(error)
    }

    /// libcurl counts busy connections too, so the limit moves with the work. Over it, each exchange that ends closes one resting connection.
    private func limitConnections() {
        unsafe fetch_multi_set_long(multi, CURLMOPT_MAXCONNECTS, running.count + engine.configuration.maxIdleConnections)
    }

    private func tearDown() {
        for transfer in Array(running.values) { finish(transfer, .shutDown) }
        handles = []
        guests.removeAll()
        unsafe curl_multi_cleanup(multi)
        _ = fetch_close(poller)
        for order in engine.close() { engine.refuse(order) }
        for waiter in stopRequests { waiter?.resume(()) }
    }
}
