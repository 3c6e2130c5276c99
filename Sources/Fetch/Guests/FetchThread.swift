import CCurl

/// The thread on which a fetcher runs its exchanges, lent to guests whose own sockets are to be served without a change of threads.
///
/// Handed out by ``Fetcher/perform(_:)`` and to be used only where it was handed out. What a guest does there holds up every exchange of
/// the fetcher: only work of microseconds belongs on it.
public final class FetchThread {
    private unowned let loop: CurlLoop
    private var lastTag: UInt32 = 0

    init(_ loop: CurlLoop) { self.loop = loop }

    /// Nanoseconds on the monotonic clock, as of this turn of the loop.
    public var now: UInt64 { loop.now }

    /// Calls `watcher` each time the descriptor becomes readable or its peer ends. It holds the watcher until ``forget(_:)``, which has to come
    /// before the descriptor is closed.
    ///
    /// - Returns: False if the system has no room for another one.
    public func watch(_ descriptor: CInt, _ watcher: any SocketWatcher) -> Bool {
        // 0 is what libcurl's own sockets have.
        lastTag = lastTag == .max ? 1 : lastTag + 1
        guard fetch_poller_watch_edges(loop.poller, descriptor, lastTag, false, false) else { return false }
        _ = loop.guests.replace(descriptor, with: CurlLoop.Guest(tag: lastTag, watcher: watcher))
        return true
    }

    /// Whether `watcher` is also to be called when the descriptor becomes writable.
    public func watchWriting(_ descriptor: CInt, _ isWanted: Bool) {
        guard let guest = loop.guests[descriptor] else { return }
        _ = fetch_poller_watch_edges(loop.poller, descriptor, guest.tag, true, isWanted)
    }

    /// Calls the watcher no more.
    public func forget(_ descriptor: CInt) {
        guard loop.guests.replace(descriptor, with: nil) != nil else { return }
        fetch_poller_forget(loop.poller, descriptor)
    }

    /// Sends a request whose answer `receiver` takes on this thread.
    ///
    /// - Throws: What is wrong with the request itself; everything later goes to the receiver.
    public func start(_ request: FetchRequest, _ receiver: any FetchReceiver) throws(FetchError) -> FetchExchange {
        let transfer = Transfer(request, engine: loop.engine)
        guard let request = transfer.takeRequest() else { throw .cancelled }
        try loop.start(transfer, request, receiver)
        return FetchExchange(transfer)
    }

    /// Has a timer fire at a time, or at another one than before.
    ///
    /// - Parameter deadline: Nanoseconds on the monotonic clock. It fires up to a millisecond later, never earlier.
    public func set(_ timer: FetchTimer, to deadline: UInt64) { loop.timers.set(timer, to: deadline) }

    /// Of no effect if it has fired or was never set.
    public func stop(_ timer: FetchTimer) { loop.timers.remove(timer) }
}

@available(*, unavailable)
extension FetchThread: Sendable {}

/// Is told about a guest's descriptor, on the fetcher's thread.
public protocol SocketWatcher: AnyObject {
    /// - Parameters:
    ///   - isWritable: Counts only while ``FetchThread/watchWriting(_:_:)`` is on.
    ///   - hasEnded: The peer sends no more, or the connection is broken.
    func becameReady(isWritable: Bool, hasEnded: Bool)
}

/// Calls a function once at a time.
public final class FetchTimer: DeadlineHolder {
    let fire: () -> Void
    var deadline: UInt64 = 0
    var heapIndex = -1

    /// - Parameter fire: Runs on the fetcher's thread.
    public init(_ fire: @escaping () -> Void) { self.fire = fire }

    /// Whether it is still to fire.
    public var isSet: Bool { heapIndex >= 0 }
}

@available(*, unavailable)
extension FetchTimer: Sendable {}
