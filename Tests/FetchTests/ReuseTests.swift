import Fetch
import Glibc
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct ReuseTests {
    @Test func `one after the other, requests share a connection`() async throws {
        let stub = try StubUpstream.answering { request in StubAnswer.whole(body: request.text) }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            for index in 0..<50 {
                let request = FetchRequest(method: "POST", url: stub.url, body: [Array("\(index)".utf8)[...]])
                #expect(try await fetcher.text(request) == "\(index)")
            }
            #expect(stub.connections.count == 1)
            #expect(fetcher.openConnections == 1)
        }
    }

    @Test func `a hundred at once use as many connections, and those beyond the limit go as work goes on`() async throws {
        let all = Gate()
        let stub = try StubUpstream { connection in
            while true {
                try connection.readRequest()
                try all.wait()
                try connection.send(StubAnswer.whole(body: "ok"))
            }
        }
        defer { stub.stop() }
        try await withFetcher(FetcherConfiguration(maxIdleConnections: 10)) { fetcher async throws in
            let tasks = (0..<100).map { _ in Task { try await fetcher.text(FetchRequest(url: stub.url)) } }
            _ = try await stub.requests.event(99)
            #expect(fetcher.openTransfers == 100)
            all.open()
            for task in tasks { #expect(try await task.value == "ok") }
            #expect(await eventually { fetcher.openTransfers == 0 })
            for _ in 0..<100 { #expect(try await fetcher.text(FetchRequest(url: stub.url)) == "ok") }
            #expect(fetcher.openConnections <= 11)
            #expect(stub.connections.count == 100)
        }
    }

    @Test func `a connection that rested too long is not used again`() async throws {
        let stub = try StubUpstream.answering { _ in StubAnswer.whole(body: "ok") }
        defer { stub.stop() }
        try await withFetcher(FetcherConfiguration(idleConnectionAge: .seconds(1))) { fetcher async throws in
            #expect(try await fetcher.text(FetchRequest(url: stub.url)) == "ok")
            // With no work left, the resting connection is closed without anyone asking.
            #expect(await eventually { fetcher.openConnections == 0 })
            #expect(try await fetcher.text(FetchRequest(url: stub.url)) == "ok")
            #expect(stub.connections.count == 2)
        }
    }

    @Test(arguments: [1, 2, 3])
    func `a connection that the peer closed while it rested is replaced silently`(exchanges: Int) async throws {
        let closed = EventLog<Int>()
        let stub = try StubUpstream { connection in
            for exchange in 0..<exchanges {
                try connection.readRequest()
                try connection.send(StubAnswer.whole(body: "\(connection.number).\(exchange)"))
            }
            connection.close()
            closed.append(connection.number)
        }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            for index in 0..<20 {
                for exchange in 0..<exchanges {
                    #expect(try await fetcher.text(FetchRequest(method: "POST", url: stub.url, body: [[1]])) == "\(index).\(exchange)")
                }
                _ = try await closed.event(index)
            }
            #expect(stub.requests.count == 20 * exchanges)
        }
    }

    @Test(arguments: ["", "unasked"])
    func `a peer that leaves or speaks while its connection rests keeps nobody awake`(_ words: String) async throws {
        let (rests, done) = (Gate(), EventLog<Bool>())
        let stub = try StubUpstream { connection in
            for _ in 0..<3 {
                try connection.readRequest()
                try connection.send(StubAnswer.whole(body: "\(connection.number)"))
            }
            try rests.wait()
            if words.isEmpty { connection.close() } else { try connection.send(words) }
            done.append(true)
            if !words.isEmpty { connection.waitForPeerClosing() }
        }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            for _ in 0..<3 { #expect(try await fetcher.text(FetchRequest(url: stub.url)) == "0") }
            rests.open()
            _ = try await done.event(0)
            let before = await fetcher.threadTime()
            try await Task.sleep(for: .milliseconds(500))
            // A thread that is told again and again would have worked all the while.
            #expect(await fetcher.threadTime() - before < .milliseconds(250))
            #expect(try await fetcher.text(FetchRequest(url: stub.url)) == "1")
        }
    }

    @Test(arguments: [10, 100_000]) func `a POST that reached a peer which then died is not sent again`(_ size: Int) async throws {
        // The peer takes the second request whole, as one that starts to act on it, and dies without a word.
        let stub = try StubUpstream { connection in
            try connection.readRequest()
            try connection.send(StubAnswer.whole(body: "one"))
            if connection.number == 0 {
                try connection.readRequest()
            } else {
                connection.waitForPeerClosing()
            }
        }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            let request = FetchRequest(method: "POST", url: stub.url, body: [[UInt8](repeating: 1, count: size)[...]])
            #expect(try await fetcher.text(request) == "one")
            let error = await fetchError { _ = try await fetcher.text(request) }
            #expect(error?.kind == "closedEarly")
            #expect(stub.requests.count == 2)
        }
    }

    @Test func `a POST that the peer never read is sent again`() async throws {
        // The peer closes with the request still unread, as one that gives up a resting connection in that very moment.
        let stub = try StubUpstream { connection in
            try connection.readRequest()
            try connection.send(StubAnswer.whole(body: "\(connection.number)"))
            guard connection.number == 0 else { return connection.waitForPeerClosing() }
            connection.waitUntilReadable()
            connection.close()
        }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            let request = FetchRequest(method: "POST", url: stub.url, body: [[1, 2, 3]])
            #expect(try await fetcher.text(request) == "0")
            #expect(try await fetcher.text(request) == "1")
            #expect(stub.requests.count == 2)
        }
    }

    @Test func `a GET that reached a peer which then died is sent again`() async throws {
        let stub = try StubUpstream { connection in
            try connection.readRequest()
            try connection.send(StubAnswer.whole(body: "\(connection.number)"))
            if connection.number == 0 { try connection.readRequest() } else { connection.waitForPeerClosing() }
        }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            #expect(try await fetcher.text(FetchRequest(url: stub.url)) == "0")
            #expect(try await fetcher.text(FetchRequest(url: stub.url)) == "1")
            #expect(stub.requests.count == 3)
        }
    }

    @Test func `the race between a closing peer and the next POST shows nobody an error and doubles nothing`() async throws {
        let stub = try StubUpstream { connection in
            // Closes at once after the answer: sometimes before the next request is on its way, sometimes just after.
            try connection.readRequest()
            try connection.send(StubAnswer.whole(body: "ok"))
            if connection.number % 3 == 1 { try? Gate().wait(patience: Double(connection.number % 7) * 0.00002) }
        }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            for index in 0..<1000 {
                let request = FetchRequest(method: "POST", url: stub.url, body: [Array("\(index)".utf8)[...]], limits: .patient)
                #expect(try await fetcher.text(request) == "ok")
            }
            #expect(stub.requests.all.map(\.text) == (0..<1000).map { "\($0)" })
        }
    }

    @Test func `an answer that is left unread never serves the next request`() async throws {
        let stub = try StubUpstream.answering { _ in StubAnswer.whole(bytes: [UInt8](repeating: 1, count: 1 << 20)) }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            for _ in 0..<5 {
                let reply = try await fetcher.send(FetchRequest(url: stub.url))
                #expect(reply.status == 200)
            }
            #expect(await eventually { fetcher.openTransfers == 0 })
            #expect(try await fetcher.text(FetchRequest(url: stub.url)).utf8.count == 1 << 20)
        }
    }
}

extension Fetcher {
    /// How long the fetcher's thread has worked.
    fileprivate func threadTime() async -> Duration {
        let time = LockedValue(Duration.zero)
        await performAndWait { _ in
            time.withLock { $0 = ProcessCounts.threadTime }
        }
        return time.withLock { $0 }
    }
}
