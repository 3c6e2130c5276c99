import CCurl
import Synchronization

/// The face of the one thread that runs all transfers: takes orders from anywhere and wakes the thread for them.
///
/// Nothing of libcurl is touched outside that thread.
final class CurlEngine: Sendable {
    /// What the thread can be asked to do.
    enum Order {
        case start(Transfer)
        case resume(Transfer)
        case cancel(Transfer)
        /// The waiter is told once it is done, or will never be.
        case perform(@Sendable (FetchThread) -> Void, Waiter<Void>?)
        case stop(Waiter<Void>?)
    }

    private struct Inbox {
        var orders: [Order] = []
        /// Set by the thread's last act; whoever comes later is told at once.
        var isClosed = false
    }

    /// Counters that anyone may read.
    final class Gauges: Sendable {
        private let transferCount = Atomic(0)
        private let connectionCount = Atomic(0)
        var transfers: Int { transferCount.load(ordering: .relaxed) }
        var connections: Int { connectionCount.load(ordering: .relaxed) }
        func setTransfers(_ count: Int) { transferCount.store(count, ordering: .relaxed) }
        func changeConnections(by change: Int) { connectionCount.add(change, ordering: .relaxed) }
    }

    let configuration: FetcherConfiguration
    /// Whether the environment names a proxy for anything.
    let mayUseProxy: Bool
    let gauges = Gauges()
    /// An eventfd; -1 if the system had none left, in which case the engine was never alive.
    let wakeDescriptor: CInt
    private let inbox = Guarded(Inbox())
    /// The thread, once it runs; 0 before.
    private let threadIdentity = Atomic<UInt>(0)

    init(_ configuration: FetcherConfiguration) {
        self.configuration = configuration
        mayUseProxy =
            configuration.proxy == .environment
            && ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"].contains { (name: String) in
                unsafe getenv(name) != nil
            }
        wakeDescriptor = fetch_wake_create()
        precondition(wakeDescriptor >= 0, "no descriptor left for the fetcher's thread")
        startThread()
    }

    deinit {
        _ = fetch_close(wakeDescriptor)
    }

    /// Gives an order. One that comes too late is answered as far as it has to be.
    func post(_ order: Order) {
        let (isClosed, wakes) = inbox.withLock { inbox in
            guard !inbox.isClosed else { return (true, false) }
            inbox.orders.append(order)
            return (false, inbox.orders.count == 1)
        }
        if isClosed {
            refuse(order)
        } else if wakes, fetch_thread_identity() != threadIdentity.load(ordering: .relaxed) {
            // The thread itself looks into the inbox before it sleeps.
            fetch_wake(wakeDescriptor)
        }
    }

    /// Asks the thread to end; does not wait.
    func stop() {
        post(.stop(nil))
    }

    /// Asks the thread to end and waits until it has closed everything.
    func stopAndWait() async {
        await Waiter.wait { post(.stop($0)) }
    }

    /// All orders given so far. Called by the thread; `spare` becomes the next inbox, so that no memory is asked for.
    func takeOrders(into orders: inout [Order]) {
        inbox.withLock { swap(&$0.orders, &orders) }
    }

    /// The thread is about to end: no more orders. Returns those that came in last.
    func close() -> [Order] {
        inbox.withLock { inbox in
            inbox.isClosed = true
            defer { inbox.orders = [] }
            return inbox.orders
        }
    }

    /// Answers an order that nobody will carry out.
    func refuse(_ order: Order) {
        switch order {
        case .start(let transfer): transfer.ended(.shutDown)
        case .stop(let waiter), .perform(_, let waiter): waiter?.resume(())
        case .resume, .cancel: break
        }
    }

    private func startThread() {
        let status = unsafe fetch_start_thread(
            { context in
                let engine = unsafe Unmanaged<CurlEngine>.fromOpaque(context!).takeRetainedValue()
                fetch_block_signals()
                engine.threadIdentity.store(fetch_thread_identity(), ordering: .relaxed)
                CurlLoop(engine).run()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        precondition(status == 0, "no thread left for the fetcher")
    }
}
