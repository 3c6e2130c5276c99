import Fetch
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct TimeoutTests {
    private let short = Duration.milliseconds(120)

    @Test func `connecting has a limit of its own`() async throws {
        let full = try FullListener()
        defer { full.close() }
        try await withFetcher { fetcher async throws in
            var limits = FetchLimits.patient
            limits.connect = short
            #expect(await fetchError { _ = try await fetcher.send(FetchRequest(url: full.url, limits: limits)) } == .timedOut(.connecting))
            #expect(await eventually { fetcher.openConnections == 0 })
        }
    }

    @Test func `the first byte has a limit of its own`() async throws {
        let stub = try StubUpstream([.request, .untilPeerCloses])
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            var limits = FetchLimits.patient
            limits.firstByte = short
            let request = FetchRequest(method: "POST", url: stub.url, body: [[1]], limits: limits)
            #expect(await fetchError { _ = try await fetcher.send(request) } == .timedOut(.firstByte))
            _ = try await stub.closings.event(0)
        }
    }

    @Test func `interim answers do not count as the first byte`() async throws {
        let stub = try StubUpstream([.request, .send("HTTP/1.1 102 Processing\r\n\r\n"), .untilPeerCloses])
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            var limits = FetchLimits.patient
            limits.firstByte = short
            #expect(await fetchError { _ = try await fetcher.send(FetchRequest(url: stub.url, limits: limits)) } == .timedOut(.firstByte))
        }
    }

    @Test func `silence in the stream ends it, after what came has been handed out`() async throws {
        let stub = try StubUpstream([
            .request, .send(StubAnswer.eventStreamHead), .bytes(StubAnswer.chunk("data: 1\n\n")), .untilPeerCloses,
        ])
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            var limits = FetchLimits.patient
            limits.idle = short
            let reply = try await fetcher.send(FetchRequest(url: stub.url, limits: limits))
            var body = reply.body.makeAsyncIterator()
            #expect(try await body.next() == Array("data: 1\n\n".utf8))
            #expect(await fetchError { _ = try await body.next() } == .timedOut(.idle))
            #expect(await fetchError { _ = try await body.next() } == .timedOut(.idle))
            _ = try await stub.closings.event(0)
        }
    }

    @Test func `every byte restarts the idle limit`() async throws {
        let stub = try StubUpstream { connection in
            try connection.readRequest()
            try connection.send(StubAnswer.eventStreamHead)
            // Each pause is well below the limit, all of them together well above.
            for _ in 0..<8 {
                try? Gate().wait(patience: 0.1)
                try connection.send(StubAnswer.chunk("x"))
            }
            try connection.send(StubAnswer.lastChunk)
        }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            var limits = FetchLimits.patient
            limits.idle = .milliseconds(500)
            let reply = try await fetcher.send(FetchRequest(url: stub.url, limits: limits))
            #expect(try await reply.body.collect(upTo: 100).count == 8)
        }
    }

    @Test func `a peer that stops taking the body meets the idle limit`() async throws {
        let stub = try StubUpstream { connection in
            _ = try connection.readHead()
            try Gate().wait(patience: 5)
        }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            var limits = FetchLimits.patient
            limits.idle = short
            let body = [ArraySlice<UInt8>](repeating: [UInt8](repeating: 7, count: 1 << 20)[...], count: 64)
            let request = FetchRequest(method: "POST", url: stub.url, body: body, limits: limits)
            #expect(await fetchError { _ = try await fetcher.send(request) } == .timedOut(.firstByte))
        }
    }

    @Test func `the total limit cuts a stream that never rests`() async throws {
        let stub = try StubUpstream { connection in
            try connection.readRequest()
            try connection.send(StubAnswer.eventStreamHead)
            while true {
                try? Gate().wait(patience: 0.01)
                try connection.send(StubAnswer.chunk("x"))
            }
        }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            var limits = FetchLimits.patient
            limits.total = .milliseconds(300)
            let request = FetchRequest(url: stub.url, limits: limits)
            #expect(await fetchError { _ = try await fetcher.send(request).body.collect(upTo: 1 << 20) } == .timedOut(.total))
            _ = try await stub.closings.event(0)
        }
    }
}
