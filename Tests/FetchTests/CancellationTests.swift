import Fetch
import TestSupport
import Testing

/// The peer has to see the end of the connection within this time of the moment nobody wants the answer any more.
private let atOnce = Duration.milliseconds(100)

@Suite(.serialized, .timeLimit(.minutes(1))) struct CancellationTests {
    @Test func `cancelling while waiting for headers closes the connection at once`() async throws {
        let stub = try StubUpstream([.request, .untilPeerCloses])
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            let task = Task { try await fetcher.send(FetchRequest(method: "POST", url: stub.url, body: [[1]])) }
            _ = try await stub.requests.event(0)
            let left = ContinuousClock.now
            task.cancel()
            #expect(await fetchError { _ = try await task.value } == .cancelled)
            #expect(try await stub.closings.event(0).time - left < atOnce)
            #expect(await eventually { fetcher.openTransfers == 0 && fetcher.openConnections == 0 })
        }
    }

    @Test func `cancelling mid-stream closes the connection at once`() async throws {
        let stub = try StubUpstream([
            .request, .send(StubAnswer.eventStreamHead), .bytes(StubAnswer.chunk("data: 1\n\n")), .untilPeerCloses,
        ])
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            let first = EventLog<[UInt8]>()
            let task = Task {
                let reply = try await fetcher.send(FetchRequest(url: stub.url))
                for try await piece in reply.body { first.append(piece) }
            }
            _ = try await first.event(0)
            let left = ContinuousClock.now
            task.cancel()
            #expect(await fetchError { try await task.value } == .cancelled)
            #expect(try await stub.closings.event(0).time - left < atOnce)
        }
    }

    @Test func `cancelling while the body is going out closes the connection at once`() async throws {
        let begun = EventLog<Int>()
        let stub = try StubUpstream { connection in
            _ = try connection.readHead()
            _ = try connection.read(1000)
            begun.append(1)
            connection.waitForPeerClosing()
        }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            // More than all buffers between the two, so that it cannot have gone out whole.
            let body = [ArraySlice<UInt8>](repeating: [UInt8](repeating: 7, count: 1 << 20)[...], count: 64)
            let task = Task { try await fetcher.send(FetchRequest(method: "POST", url: stub.url, body: body)) }
            _ = try await begun.event(0)
            let left = ContinuousClock.now
            task.cancel()
            #expect(await fetchError { _ = try await task.value } == .cancelled)
            #expect(try await stub.closings.event(0).time - left < atOnce)
        }
    }

    @Test func `cancelling while connecting ends the wait at once`() async throws {
        // A listener whose queue is full leaves further connections unanswered.
        let full = try FullListener()
        defer { full.close() }
        try await withFetcher { fetcher async throws in
            let task = Task { try await fetcher.send(FetchRequest(url: full.url)) }
            #expect(await eventually { fetcher.openConnections == 1 })
            let left = ContinuousClock.now
            task.cancel()
            #expect(await fetchError { _ = try await task.value } == .cancelled)
            #expect(ContinuousClock.now - left < atOnce)
            #expect(await eventually { fetcher.openConnections == 0 })
        }
    }

    @Test func `letting go of an answer unread closes the connection at once`() async throws {
        let stub = try StubUpstream([.request, .send(StubAnswer.eventStreamHead), .untilPeerCloses])
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            do {
                let reply = try await fetcher.send(FetchRequest(url: stub.url))
                #expect(reply.status == 200)
            }
            let left = ContinuousClock.now
            #expect(try await stub.closings.event(0).time - left < atOnce)
        }
    }

    @Test func `leaving the loop closes the connection although the answer is still at hand`() async throws {
        let stub = try StubUpstream([
            .request, .send(StubAnswer.eventStreamHead), .bytes(StubAnswer.chunk("data: 1\n\n")), .untilPeerCloses,
        ])
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            let reply = try await fetcher.send(FetchRequest(url: stub.url))
            for try await _ in reply.body { break }
            let left = ContinuousClock.now
            #expect(try await stub.closings.event(0).time - left < atOnce)
            #expect(reply.status == 200)
        }
    }

    @Test func `cancelling a stream that back-pressure holds closes the connection at once`() async throws {
        let stalled = EventLog<Int>()
        let stub = try StubUpstream { connection in
            try connection.readRequest()
            try connection.send("HTTP/1.1 200 OK\r\n\r\n")
            stalled.append(try connection.sendUntilStalled([UInt8](repeating: 120, count: 16384), stallMilliseconds: 300))
            connection.waitForPeerClosing()
        }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            let held = EventLog<FetchReply>()
            let release = EventLog<Int>()
            let task = Task {
                let reply = try await fetcher.send(FetchRequest(url: stub.url))
                held.append(reply)
                _ = try await release.event(0)
                for try await _ in reply.body {}
            }
            _ = try await stalled.event(0)
            task.cancel()
            let left = ContinuousClock.now
            release.append(1)
            #expect(await fetchError { try await task.value } == .cancelled)
            #expect(try await stub.closings.event(0).time - left < atOnce)
        }
    }

    @Test func `a task cancelled before it sends never connects`() async throws {
        let stub = try StubUpstream([.request])
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            let gate = EventLog<Int>()
            let task = Task {
                _ = try? await gate.event(0)
                _ = try await fetcher.send(FetchRequest(url: stub.url))
            }
            task.cancel()
            gate.append(1)
            #expect(await fetchError { try await task.value } == .cancelled)
            _ = await fetchError { _ = try await fetcher.send(FetchRequest(url: stub.url)) }
            #expect(stub.connections.count == 1)
        }
    }

    @Test func `a thousand abandoned exchanges leave no descriptor behind`() async throws {
        let stub = try StubUpstream([.request, .send(StubAnswer.eventStreamHead), .untilPeerCloses])
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            // The thread opens its own descriptors in its own time; after an answer they are there.
            _ = try await fetcher.send(FetchRequest(url: stub.url)).status
            #expect(await eventually { fetcher.openConnections == 0 })
            let before = openDescriptors()
            for round in 0..<20 {
                await withTaskGroup(of: Void.self) { group in
                    for index in 0..<50 {
                        group.addTask {
                            let task = Task { try await fetcher.send(FetchRequest(method: "POST", url: stub.url, body: [[1]])) }
                            if (round + index).isMultiple(of: 3) { task.cancel() }
                            _ = try? await task.value
                        }
                    }
                }
            }
            #expect(await eventually { fetcher.openTransfers == 0 && fetcher.openConnections == 0 })
            #expect(await eventually { openDescriptors() <= before + 2 })
        }
    }

    @Test func `shutting down ends what is running and says so`() async throws {
        let stub = try StubUpstream([.request, .untilPeerCloses])
        defer { stub.stop() }
        let fetcher = Fetcher()
        let task = Task { try await fetcher.send(FetchRequest(url: stub.url)) }
        _ = try await stub.requests.event(0)
        await fetcher.shutdown()
        #expect(await fetchError { _ = try await task.value } == .shutDown)
        _ = try await stub.closings.event(0)
        #expect(await fetchError { _ = try await fetcher.send(FetchRequest(url: stub.url)) } == .shutDown)
        await fetcher.shutdown()
    }
}
