import Fetch
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct StreamingTests {
    @Test func `an answer comes with status, headers and body`() async throws {
        let stub = try StubUpstream.answering { _ in StubAnswer.whole("404 Not Found", headers: ["X-One: 1", "x-one:  2 "], body: "gone") }
        defer { stub.stop() }
        let fetcher = Fetcher()
        let reply = try await fetcher.send(FetchRequest(url: stub.url + "/where?x=1"))
        #expect(reply.status == 404)
        #expect(reply.headers["X-ONE"] == "1")
        #expect(reply.headers.values("x-One") == ["1", "2"])
        #expect(try await reply.body.collect(upTo: 100) == Array("gone".utf8))
        let request = try await stub.requests.event(0)
        #expect(request.line == "GET /where?x=1 HTTP/1.1")
        await fetcher.shutdown()
    }

    @Test func `each chunk arrives before the next one is sent`() async throws {
        let gates = [Gate(), Gate(), Gate()]
        let stub = try StubUpstream { connection in
            try connection.readRequest()
            try connection.send(StubAnswer.eventStreamHead)
            for (index, gate) in gates.enumerated() {
                try gate.wait()
                try connection.send(StubAnswer.chunk("data: \(index)\n\n"))
            }
            try connection.send(StubAnswer.lastChunk)
        }
        defer { stub.stop() }
        let fetcher = Fetcher()
        let reply = try await fetcher.send(FetchRequest(method: "POST", url: stub.url, body: [Array("{}".utf8)[...]]))
        var body = reply.body.makeAsyncIterator()
        for (index, gate) in gates.enumerated() {
            gate.open()
            #expect(try await body.next() == Array("data: \(index)\n\n".utf8))
        }
        #expect(try await body.next() == nil)
        #expect(try await body.next() == nil)
        await fetcher.shutdown()
    }
}
