import Fetch
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct UpstreamFaultTests {
    /// What a peer plays after the request, and how the exchange must end; nil for well.
    struct Fault: Sendable, CustomTestStringConvertible {
        let name: String
        let steps: [StubStep]
        let kind: String?
        var testDescription: String { name }

        init(_ name: String, _ steps: [StubStep], _ kind: String?) {
            self.name = name
            self.steps = steps
            self.kind = kind
        }
    }

    static let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    static let faults: [Fault] = [
        Fault("closes before any byte", [], "closedEarly"),
        Fault("resets before any byte", [.reset], "closedEarly"),
        Fault("cuts in the status line", [.send("HTTP/1.1 2")], "closedEarly"),
        Fault("cuts in the headers", [.send("HTTP/1.1 200 OK\r\nContent-Ty")], "closedEarly"),
        Fault("cuts in a chunk's size", [.send(head + "5\r\nhello\r\n1")], "closedEarly"),
        Fault("cuts in a chunk", [.send(head + "a\r\nhello")], "closedEarly"),
        Fault("cuts behind a chunk", [.send(head + "5\r\nhello\r\n")], "closedEarly"),
        Fault("cuts before the last blank line", [.send(head + "5\r\nhello\r\n0\r\n")], "closedEarly"),
        Fault("resets mid-stream", [.send(head + "5\r\nhello\r\n"), .reset], "closedEarly"),
        Fault("says more than it sends", [.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")], "closedEarly"),
        Fault("sends garbage for a chunk's size", [.send(head + "zz\r\nhello\r\n")], "closedEarly protocolError"),
        Fault("sends an endless chunk size", [.send(head + String(repeating: "f", count: 40) + "\r\n")], "closedEarly protocolError"),
        Fault("answers in HTTP/0.9", [.send("<html>hello</html>\n")], "protocolError badURL"),
        Fault("answers with something else", [.bytes([0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5])], "protocolError badURL"),
        Fault("ends properly by closing, without a length", [.send("HTTP/1.1 200 OK\r\n\r\nhello")], nil),
        Fault("ends properly by closing in HTTP/1.0", [.send("HTTP/1.0 200 OK\r\n\r\nhello")], nil),
        Fault("sends trailers", [.send(head + "5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n")], nil),
        Fault(
            "sends interim answers first",
            [
                .send(
                    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
                )
            ], nil),
        Fault("sends more than it said", [.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n\r\n")], nil),
        Fault("folds a header", [.send("HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 5\r\n\r\nhello")], nil),
    ]

    @Test(arguments: faults) func `a peer that`(_ fault: Fault) async throws {
        let stub = try StubUpstream([.request] + fault.steps)
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            var body: [UInt8] = []
            let error = await fetchError {
                let request = FetchRequest(method: "POST", url: stub.url, body: [[1, 2, 3]], limits: .patient)
                body = try await fetcher.send(request).body.collect(upTo: 1 << 20)
            }
            if let kind = fault.kind {
                #expect(kind.split(separator: " ").contains { $0 == error?.kind ?? "" }, "\(String(describing: error))")
            } else {
                #expect(error == nil)
                #expect(body == Array("hello".utf8))
            }
            #expect(stub.connections.count == 1)
            #expect(fetcher.openTransfers == 0)
        }
    }

    @Test func `bytes behind the answer never become the next answer`() async throws {
        let stub = try StubUpstream { connection in
            try connection.readRequest()
            if connection.number == 0 {
                try connection.send(StubAnswer.whole(body: "one") + StubAnswer.whole(body: "smuggled"))
            } else {
                try connection.send(StubAnswer.whole(body: "two"))
            }
            connection.waitForPeerClosing()
        }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            let answers = [try await fetcher.text(FetchRequest(url: stub.url)), try await fetcher.text(FetchRequest(url: stub.url))]
            #expect(answers == ["one", "two"])
        }
    }

    @Test(arguments: [1, 3]) func `bytes that come while a connection rests never become the next answer`(exchanges: Int) async throws {
        let (rests, sent) = (Gate(), EventLog<Bool>())
        let stub = try StubUpstream { connection in
            for _ in 0..<(connection.number == 0 ? exchanges : 1) {
                try connection.readRequest()
                try connection.send(StubAnswer.whole(body: connection.number == 0 ? "one" : "two"))
            }
            if connection.number == 0 {
                try rests.wait()
                try connection.send(StubAnswer.whole(body: "smuggled"))
                sent.append(true)
            }
            connection.waitForPeerClosing()
        }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            let request = FetchRequest(method: "POST", url: stub.url, body: [[1, 2, 3]])
            for _ in 0..<exchanges { #expect(try await fetcher.text(request) == "one") }
            rests.open()
            _ = try await sent.event(0)
            #expect(try await fetcher.text(request) == "two")
            #expect(stub.requests.count == exchanges + 1)
        }
    }

    @Test func `headers beyond the limit are refused`() async throws {
        let large = (0..<300).map { "X-\($0): " + String(repeating: "a", count: 1000) }
        let stub = try StubUpstream.answering { _ in StubAnswer.whole(headers: large, body: "hello") }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            let error = await fetchError { _ = try await fetcher.send(FetchRequest(url: stub.url)) }
            #expect(error == .tooLarge(limit: FetchLimits.maxHeaderBytes))
        }
    }

    @Test func `endless interim answers are refused`() async throws {
        let stub = try StubUpstream { connection in
            try connection.readRequest()
            while true { try connection.send("HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n") }
        }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            let error = await fetchError { _ = try await fetcher.send(FetchRequest(url: stub.url)) }
            #expect(error == .tooLarge(limit: FetchLimits.maxHeaderBytes))
            _ = try await stub.closings.event(0)
        }
    }

    @Test(arguments: [301, 302, 303, 307, 308]) func `a redirect is an answer, not an order`(_ status: Int) async throws {
        let trap = try StubUpstream.answering { _ in StubAnswer.whole() }
        let stub = try StubUpstream.answering { _ in StubAnswer.whole("\(status) Elsewhere", headers: ["Location: \(trap.url)/"]) }
        defer {
            trap.stop()
            stub.stop()
        }
        try await withFetcher { fetcher async throws in
            let request = FetchRequest(method: "POST", url: stub.url, headers: [("Authorization", "Bearer k")], body: [[1]])
            let reply = try await fetcher.send(request)
            #expect(reply.status == status)
            _ = try await reply.body.collect(upTo: 10)
            #expect(trap.connections.count == 0)
        }
    }

    @Test func `a body over its limit is refused, stated or not`() async throws {
        let stated = try StubUpstream([.request, .send("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n"), .untilPeerCloses])
        let unstated = try StubUpstream { connection in
            try connection.readRequest()
            try connection.send("HTTP/1.1 200 OK\r\n\r\n")
            while true { try connection.send([UInt8](repeating: 0, count: 16384)) }
        }
        defer {
            stated.stop()
            unstated.stop()
        }
        try await withFetcher { fetcher async throws in
            let limits = FetchLimits(maxBodyBytes: 10)
            let error = await fetchError { _ = try await fetcher.send(FetchRequest(url: stated.url, limits: limits)) }
            #expect(error == .tooLarge(limit: 10))
            _ = try await stated.closings.event(0)
            let larger = FetchLimits(maxBodyBytes: 1 << 20)
            let second = await fetchError {
                for try await _ in try await fetcher.send(FetchRequest(url: unstated.url, limits: larger)).body {}
            }
            #expect(second == .tooLarge(limit: 1 << 20))
            // Between the two lie only the sockets' own buffers.
            #expect(try await unstated.closings.event(0).bytesSent < 16 << 20)
        }
    }

    @Test func `a compressed answer stays as it came`() async throws {
        let bytes: [UInt8] = [0x1f, 0x8b, 8, 0, 1, 2, 3]
        let stub = try StubUpstream.answering { _ in StubAnswer.whole(headers: ["Content-Encoding: gzip"], bytes: bytes) }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            let reply = try await fetcher.send(FetchRequest(url: stub.url))
            #expect(try await reply.body.collect(upTo: 100) == bytes)
            #expect(try await stub.requests.event(0).field("Accept-Encoding") == nil)
        }
    }

    @Test func `nobody listening, an unknown name and a bad URL each have their own error`() async throws {
        let dead = try DeadPort()
        defer { withExtendedLifetime(dead) {} }
        try await withFetcher { fetcher async throws in
            let refused = await fetchError { _ = try await fetcher.send(FetchRequest(url: "http://127.0.0.1:\(dead.port)/")) }
            #expect(refused?.kind == "couldNotConnect")
            let unknown = await fetchError { _ = try await fetcher.send(FetchRequest(url: "http://no-such-name.invalid/")) }
            #expect(unknown?.kind == "couldNotResolve")
            for url in ["", "http://", "file:///etc/passwd", "gopher://127.0.0.1/", "http://a b/", "http://x\u{0}y/", "http://h/\r\nX: y"] {
                #expect(await fetchError { _ = try await fetcher.send(FetchRequest(url: url)) } == .badURL, "\(url)")
            }
        }
    }

    @Test func `TLS to a peer that speaks none fails as TLS`() async throws {
        let stub = try StubUpstream { connection in
            try connection.send("HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.waitForPeerClosing()
        }
        defer { stub.stop() }
        try await withFetcher { fetcher async throws in
            let error = await fetchError { _ = try await fetcher.send(FetchRequest(url: "https://127.0.0.1:\(stub.port)/")) }
            #expect(error?.kind == "tlsFailed")
        }
    }
}
