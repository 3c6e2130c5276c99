import Fetch
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct ForwardingTests {
    /// Plays an answer that begins with so many numbered events, and hands its body to the test.
    private static func withBody(
        events: Int, then rest: @escaping StubUpstream.Play = { _ in }, _ test: (inout FetchBody.Iterator) async throws -> Void
    ) async throws {
        let stub = try StubUpstream { connection in
            try connection.readRequest()
            try connection.send(StubAnswer.eventStreamHead)
            for number in 0..<events { try connection.send(StubAnswer.chunk("\(number);")) }
            try rest(connection)
        }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            var body = try await fetcher.send(FetchRequest(url: stub.url)).body.makeAsyncIterator()
            try await test(&body)
        }
    }

    /// Everything that a sink is given which never has enough.
    private static func forwarded(_ body: FetchBody.Iterator, each: @escaping @Sendable () -> Void = {}) async -> [UInt8] {
        let got = EventLog<[UInt8]>()
        await body.forward { piece in
            got.append(piece)
            each()
            return true
        }
        return got.all.flatMap(\.self)
    }

    @Test func `the sink gets every byte in order, whether it was there before or came later`() async throws {
        let go = Gate()
        let later: StubUpstream.Play = { connection in
            try go.wait()
            for number in 100..<200 { try connection.send(StubAnswer.chunk("\(number);")) }
            try connection.send(StubAnswer.lastChunk)
        }
        try await Self.withBody(events: 100, then: later) { body async throws in
            #expect(await Self.forwarded(body) { go.open() } == (0..<200).flatMap { Array("\($0);".utf8) })
            #expect(try await body.next() == nil)
        }
    }

    @Test func `what comes after a sink has had enough is for the next reader`() async throws {
        let go = Gate()
        let later: StubUpstream.Play = { connection in
            try go.wait()
            try connection.send(StubAnswer.chunk("later") + StubAnswer.lastChunk)
        }
        try await Self.withBody(events: 1, then: later) { body async throws in
            await body.forward { _ in false }
            go.open()
            #expect(try await body.next() == Array("later".utf8))
            #expect(try await body.next() == nil)
        }
    }

    @Test func `a cut body ends forwarding, and next says how`() async throws {
        try await Self.withBody(events: 3) { body async throws in
            #expect(await Self.forwarded(body) == Array("0;1;2;".utf8))
            #expect(await fetchError { _ = try await body.next() }?.kind == "closedEarly")
        }
    }

    @Test func `cancelling ends forwarding only when the sink is out of the way`() async throws {
        let (first, go) = (Gate(), Gate())
        let later: StubUpstream.Play = { connection in
            try first.wait()
            try connection.send(StubAnswer.chunk("1;"))
            connection.waitForPeerClosing()
        }
        try await Self.withBody(events: 1, then: later) { body async throws in
            let happened = EventLog<String>()
            let task = Task { [body] in
                var body = body
                await body.forward { piece in
                    guard piece == Array("1;".utf8) else {
                        first.open()
                        return true
                    }
                    happened.append("sink begins")
                    try? go.wait()
                    happened.append("sink ends")
                    return true
                }
                happened.append("over")
                return await fetchError { _ = try await body.next() }
            }
            #expect(try await happened.event(0) == "sink begins")
            task.cancel()
            go.open()
            #expect(await task.value == .cancelled)
            #expect(happened.all == ["sink begins", "sink ends", "over"])
        }
    }

    @Test func `a sink that stops and comes again holds the peer back and loses nothing`() async throws {
        let bytes = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 13) }
        let stub = try StubUpstream { connection in
            try connection.readRequest()
            try connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(bytes.count)\r\n\r\n")
            for start in stride(from: 0, to: bytes.count, by: 4096) { try connection.send(Array(bytes[start..<start + 4096])) }
        }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            let body = try await fetcher.send(FetchRequest(url: stub.url)).body.makeAsyncIterator()
            let got = EventLog<[UInt8]>()
            var rounds = 0
            while got.all.reduce(0, { $0 + $1.count }) < bytes.count {
                await body.forward { piece in
                    got.append(piece)
                    return got.count % 5 != 0
                }
                rounds += 1
            }
            #expect(got.all.flatMap(\.self) == bytes)
            #expect(rounds > 1)
        }
    }
}
