import Fetch
import Foundation
import TestSupport
import Testing

/// What guests may ask of a fetcher's thread.
@Suite(.timeLimit(.minutes(1))) struct FetchThreadTests {
    /// Takes an answer and notes what it is told, in order.
    ///
    /// `@unchecked Sendable`: used by the fetcher's thread alone; its log is safe to read anywhere.
    private final class Receiver: FetchReceiver, @unchecked Sendable {
        enum Event: Equatable {
            case head(Int)
            case bytes([UInt8])
            case ended(FetchError?)
        }

        let events = EventLog<Event>()
        /// What to say to each call, and to those behind the last.
        private var receptions: [FetchReception]
        var exchange: FetchExchange?
        private(set) var head: FetchHead?

        init(_ receptions: FetchReception...) { self.receptions = receptions }

        func arrived(_ head: FetchHead?, _ bytes: Span<UInt8>) -> FetchReception {
            if let head {
                self.head = head
                events.append(.head(head.status))
            }
            if !bytes.isEmpty { events.append(.bytes(unsafe bytes.withUnsafeBytes { unsafe Array($0) })) }
            return receptions.isEmpty ? .goOn : receptions.removeFirst()
        }

        func ended(_ error: FetchError?) { events.append(.ended(error)) }

        var bytes: [UInt8] { events.all.flatMap { if case .bytes(let bytes) = $0 { bytes } else { [UInt8]() } } }
    }

    private func start(_ url: String, _ receiver: Receiver, on fetcher: Fetcher) async {
        await fetcher.performAndWait { thread in receiver.exchange = try? thread.start(FetchRequest(url: url), receiver) }
    }

    @Test func `a receiver is told of head, bytes and end, in order`() async throws {
        let stub = try StubUpstream([
            .request, .send(StubAnswer.eventStreamHead), .bytes(StubAnswer.chunk("one")),
            .bytes(StubAnswer.chunk("two") + StubAnswer.lastChunk),
        ])
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            let receiver = Receiver()
            await start(stub.url, receiver, on: fetcher)
            #expect(await ProcessCounts.eventually { receiver.events.all.last == .ended(nil) })
            #expect(receiver.events.all.first == .head(200) && receiver.bytes == Array("onetwo".utf8))
        }
    }

    /// Compares an answer that counts from 0 to 255 over and over, and keeps none of it: other tests measure this process's memory.
    private final class CountingReceiver: FetchReceiver, @unchecked Sendable {
        let ends = EventLog<FetchError?>()
        let exchange = LockedValue<FetchExchange?>(nil)
        let taken = LockedValue((count: 0, isInOrder: true))
        private var mayGoOn = false

        func arrived(_ head: FetchHead?, _ bytes: Span<UInt8>) -> FetchReception {
            taken.withLock { taken in
                let expected = FetchThreadTests.counted[(taken.count % 256)...]
                let isEqual = unsafe bytes.withUnsafeBytes { piece in
                    unsafe expected.withUnsafeBytes {
                        unsafe piece.isEmpty || memcmp($0.baseAddress!, piece.baseAddress!, piece.count) == 0
                    }
                }
                taken.isInOrder = taken.isInOrder && isEqual
                taken.count += bytes.count
            }
            defer { mayGoOn = true }
            return mayGoOn ? .goOn : .hold
        }

        func ended(_ error: FetchError?) { ends.append(error) }
    }

    /// Longer by 256 than any piece. Doubled rather than counted: this is built without optimisation.
    private static let counted: [UInt8] = {
        var bytes = (0..<256).map { UInt8($0) }
        while bytes.count < 256 * 1024 { bytes += bytes }
        return bytes
    }()

    @Test func `a receiver that wants nothing more for now stalls the peer, and then gets every byte in order`() async throws {
        let total = 24 << 20
        let stalled = EventLog<Int>()
        let stub = try StubUpstream { connection in
            try connection.readRequest()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
            var taken = try connection.sendUntilStalled(Array(Self.counted[..<16384]), stallMilliseconds: 300)
            stalled.append(taken)
            while taken < total {
                let start = taken % 256
                let count = min(65_536, total - taken)
                try connection.send(Array(Self.counted[start..<(start + count)]))
                taken += count
            }
        }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            let receiver = CountingReceiver()
            await fetcher.performAndWait { thread in
                let exchange = try? thread.start(FetchRequest(url: stub.url), receiver)
                receiver.exchange.withLock { $0 = exchange }
            }
            #expect(try await stalled.event(0) < 16 << 20)
            receiver.exchange.withLock { $0 }?.resume()
            #expect(try await receiver.ends.event(0) == nil)
            let (count, isInOrder) = receiver.taken.withLock { $0 }
            #expect(count == total)
            #expect(isInOrder)
        }
    }

    @Test func `what a receiver hands on waits for a reader, whole`() async throws {
        let go = Gate()
        let stub = try StubUpstream([
            .request, .send("HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\nfir"), .wait(go), .send("st!"),
        ])
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            let receiver = Receiver(.handOn)
            await start(stub.url, receiver, on: fetcher)
            let head = try await receiver.events.event(0)
            #expect(head == .head(404))
            let reply = try #require(receiver.head.flatMap { receiver.exchange?.reply($0) })
            go.open()
            #expect(reply.status == 404)
            #expect(try await reply.body.collect(upTo: 100) == Array("first!".utf8))
            // Its part was over.
            #expect(!receiver.events.all.contains(.ended(nil)))
        }
    }

    @Test func `a cancelled exchange closes its connection and says so`() async throws {
        let stub = try StubUpstream([.request, .untilPeerCloses])
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            let receiver = Receiver()
            await start(stub.url, receiver, on: fetcher)
            _ = try await stub.requests.event(0)
            receiver.exchange?.cancel()
            #expect(try await receiver.events.event(0) == .ended(.cancelled))
            _ = try await stub.closings.event(0)
        }
    }

    @Test func `a request that cannot go on the wire is refused at once`() async throws {
        try await withFetcher { fetcher async throws in
            let receiver = Receiver()
            let refusals = EventLog<FetchError>()
            await fetcher.performAndWait { thread in
                do throws(FetchError) {
                    _ = try thread.start(FetchRequest(url: "http://a b/"), receiver)
                } catch {
                    refusals.append(error)
                }
            }
            #expect(refusals.all == [.badURL])
            #expect(receiver.events.all.isEmpty)
        }
    }

    @Test func `timers fire in the order of their times, and not when stopped`() async throws {
        try await withFetcher { fetcher async throws in
            let fired = EventLog<Int>()
            await fetcher.performAndWait { thread in
                let timers = (0..<4).map { number in FetchTimer { fired.append(number) } }
                for (timer, milliseconds) in zip(timers, [60, 20, 40, 30]) {
                    thread.set(timer, to: thread.now + UInt64(milliseconds) * 1_000_000)
                }
                thread.stop(timers[3])
                thread.set(timers[2], to: thread.now + 80_000_000)
            }
            _ = try await fired.event(2)
            #expect(fired.all == [1, 0, 2])
        }
    }

    @Test func `an exchange cancelled by a timer ends at once`() async throws {
        let stub = try StubUpstream([.request, .untilPeerCloses])
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            let receiver = Receiver()
            await fetcher.performAndWait { thread in
                let exchange = try? thread.start(FetchRequest(url: stub.url), receiver)
                // An order that the thread gives itself while it would go to sleep.
                thread.set(FetchTimer { exchange?.cancel() }, to: thread.now + 50_000_000)
            }
            #expect(try await receiver.events.event(0) == .ended(.cancelled))
        }
    }

    private final class Watcher: SocketWatcher, @unchecked Sendable {
        let events = EventLog<Bool>()
        func becameReady(isWritable: Bool, hasEnded: Bool) { events.append(hasEnded) }
    }

    @Test func `a watcher hears of bytes and of the end, until it is forgotten`() async throws {
        var ends: [CInt] = [0, 0]
        #expect(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        let (ours, theirs) = (ends[0], ends[1])
        try await withFetcher { fetcher async throws in
            let watcher = Watcher()
            await fetcher.performAndWait { thread in _ = thread.watch(ours, watcher) }
            #expect(unsafe send(theirs, "a", 1, 0) == 1)
            #expect(try await watcher.events.event(0) == false)
            shutdown(theirs, Int32(SHUT_WR))
            #expect(try await watcher.events.event(1) == true)
            await fetcher.performAndWait { thread in thread.forget(ours) }
            #expect(unsafe send(theirs, "a", 1, Int32(MSG_NOSIGNAL)) <= 0)
            await fetcher.performAndWait { _ in }
            #expect(watcher.events.count == 2)
        }
        close(ours)
        close(theirs)
    }

    @Test func `work for a thread that has ended is not done, and nobody waits for it`() async throws {
        let fetcher = Fetcher()
        await fetcher.shutdown()
        let done = EventLog<Bool>()
        fetcher.perform { _ in done.append(true) }
        await fetcher.performAndWait { _ in done.append(true) }
        #expect(done.all.isEmpty)
    }
}
