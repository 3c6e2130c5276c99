import Fetch
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct ForwardingTests {
    private static func events(_ numbers: Range<Int>, then last: [StubStep]) -> [StubStep] {
        [.request, .send(StubAnswer.eventStreamHead)] + numbers.map { .bytes(StubAnswer.chunk("\($0);")) } + last
    }

    @Test func `the sink gets every byte in order, whether it was there before or came later`() async throws {
        let go = Gate()
        let stub = try StubUpstream { connection in
            for step in Self.events(0..<100, then: []) { try connection.perform(step) }
            try go.wait()
            for number in 100..<200 { try connection.send(StubAnswer.chunk("\(number);")) }
            try connection.send(StubAnswer.lastChunk)
        }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            var body = try await fetcher.send(FetchRequest(url: stub.url)).body.makeAsyncIterator()
            let got = EventLog<[UInt8]>()
            await body.forward { piece in
                got.append(piece)
                go.open()
                return true
            }
            #expect(got.all.flatMap(\.self) == (0..<200).flatMap { Array("\($0);".utf8) })
            #expect(try await body.next() == nil)
        }
    }

    @Test func `what comes after a sink has had enough is for the next reader`() async throws {
        let go = Gate()
        let stub = try StubUpstream { connection in
            for step in Self.events(0..<1, then: []) { try connection.perform(step) }
            try go.wait()
            try connection.send(StubAnswer.chunk("later") + StubAnswer.lastChunk)
        }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            var body = try await fetcher.send(FetchRequest(url: stub.url)).body.makeAsyncIterator()
            await body.forward { _ in false }
            go.open()
            #expect(try await body.next() == Array("later".utf8))
            #expect(try await body.next() == nil)
        }
    }

    @Test func `a cut body ends forwarding, and next says how`() async throws {
        let stub = try StubUpstream(Self.events(0..<3, then: []))
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            var body = try await fetcher.send(FetchRequest(url: stub.url)).body.makeAsyncIterator()
            let got = EventLog<[UInt8]>()
            await body.forward { piece in
                got.append(piece)
                return true
            }
            #expect(got.all.flatMap(\.self) == Array("0;1;2;".utf8))
            #expect(await fetchError { _ = try await body.next() }?.kind == "closedEarly")
        }
    }

    @Test func `cancelling ends forwarding only when the sink is out of the way`() async throws {
        let (first, go) = (Gate(), Gate())
        let stub = try StubUpstream { connection in
            for step in Self.events(0..<1, then: []) { try connection.perform(step) }
            try first.wait()
            try connection.send(StubAnswer.chunk("1;"))
            connection.waitForPeerClosing()
        }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            let reply = try await fetcher.send(FetchRequest(url: stub.url))
            let happened = EventLog<String>()
            let task = Task {
                var body = reply.body.makeAsyncIterator()
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
