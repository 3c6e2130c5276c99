import Foundation
import TestSupport
import Testing

@testable import Fetch

@Suite(.timeLimit(.minutes(1))) struct ImageFetcherTests {
    @Test(arguments: [400, 401, 403, 404, 410, 429, 204, 206, 304]) func `a status that is no success is named, and asked for once`(
        _ status: Int
    ) async throws {
        let stub = try StubUpstream.answering { _ in Array("HTTP/1.1 \(status) X\r\nContent-Length: 0\r\n\r\n".utf8) }
        defer { stub.stop() }
        try await withImageFetcher { fetcher async throws in
            let error = await imageError(fetcher, stub.url)
            #expect(error == .status(status))
            #expect(error?.reason == "\(status)")
            #expect(stub.requests.count == 1)
        }
    }

    @Test func `a server's fault is given a second try and no third`() async throws {
        let counter = EventLog<Int>()
        let stub = try StubUpstream.answering { request in
            counter.append(1)
            if request.target == "/once", counter.count == 1 { return StubAnswer.whole("503 Busy") }
            return request.target == "/once" ? StubAnswer.whole(body: "picture") : StubAnswer.whole("502 Bad")
        }
        defer { stub.stop() }
        try await withImageFetcher { fetcher async throws in
            #expect(try await fetcher.text(stub.url + "/once") == "picture")
            #expect(await imageError(fetcher, stub.url + "/always") == .status(502))
            #expect(stub.requests.all.filter { $0.target == "/always" }.count == 2)
        }
    }

    @Test func `a picture that breaks off is not asked for again`() async throws {
        let stub = try StubUpstream([.request, .send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npict")])
        defer { stub.stop() }
        try await withImageFetcher { fetcher async throws in
            #expect(await imageError(fetcher, stub.url)?.reason == "could not connect")
            #expect(stub.requests.count == 1)
        }
    }

    @Test func `nobody there is given a second try and then named`() async throws {
        let dead = try DeadPort()
        defer { withExtendedLifetime(dead) {} }
        try await withImageFetcher { fetcher async throws in
            #expect(await imageError(fetcher, "http://127.0.0.1:\(dead.port)/")?.reason == "could not connect")
        }
    }

    @Test func `the host sees three headers and nothing of ours`() async throws {
        let stub = try StubUpstream.answering { _ in StubAnswer.whole(headers: ["Set-Cookie: a=b"], body: "picture") }
        defer { stub.stop() }
        try await withImageFetcher { fetcher async throws in
            for _ in 0..<2 { _ = try await fetcher.fetch(stub.url + "/x?sig=1#part") }
            for request in stub.requests.all {
                #expect(request.line == "GET /x?sig=1 HTTP/1.1")
                #expect(Set(request.fields.map { $0.name.lowercased() }) == ["host", "user-agent", "accept"])
                #expect(request.field("User-Agent") == "OllamaBridge")
            }
        }
    }

    @Test func `a picture over the limit is refused as early as it can be known`() async throws {
        let stated = try StubUpstream([.request, .send("HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n"), .untilPeerCloses])
        let endless = try StubUpstream { connection in
            try connection.readRequest()
            try connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while true { try connection.send(StubAnswer.chunk(String(repeating: "x", count: 1000))) }
        }
        defer {
            stated.stop()
            endless.stop()
        }
        try await withImageFetcher {
            $0.maxBytes = 1000
        } _: { fetcher async throws in
            #expect(await imageError(fetcher, stated.url) == .tooLarge(limit: 1000))
            #expect(await imageError(fetcher, endless.url) == .tooLarge(limit: 1000))
            _ = try await stated.closings.event(0)
            _ = try await endless.closings.event(0)
        }
    }

    @Test func `a picture exactly at the limit is taken`() async throws {
        let stub = try StubUpstream.answering { _ in StubAnswer.whole(bytes: [UInt8](repeating: 1, count: 1000)) }
        defer { stub.stop() }
        try await withImageFetcher {
            $0.maxBytes = 1000
        } _: { fetcher async throws in
            #expect(try await fetcher.fetch(stub.url).bytes.count == 1000)
        }
    }

    @Test func `a drip meets the limit on all of it`() async throws {
        let stub = try StubUpstream { connection in
            try connection.readRequest()
            try connection.send("HTTP/1.1 200 OK\r\n\r\n")
            while true {
                try? Gate().wait(patience: 0.02)
                try connection.send("x")
            }
        }
        defer { stub.stop() }
        try await withImageFetcher {
            $0.totalTimeout = .milliseconds(300)
        } _: { fetcher async throws in
            #expect(await imageError(fetcher, stub.url) == .timedOut)
            _ = try await stub.closings.event(0)
        }
    }

    @Test func `a compressed picture stays compressed, whatever it would become`() async throws {
        let stub = try StubUpstream.answering { _ in StubAnswer.whole(headers: ["Content-Encoding: gzip"], bytes: [0x1f, 0x8b, 8, 0]) }
        defer { stub.stop() }
        try await withImageFetcher { fetcher async throws in
            #expect(try await fetcher.fetch(stub.url).bytes == [0x1f, 0x8b, 8, 0])
        }
    }

    @Test func `callers who want the same at the same time share one fetch`() async throws {
        let go = Gate()
        let stub = try StubUpstream { connection in
            try connection.readRequest()
            try go.wait()
            try connection.send(StubAnswer.whole(body: "picture"))
        }
        defer { stub.stop() }
        try await withImageFetcher { fetcher async throws in
            let tasks = (0..<20).map { _ in Task { try await fetcher.text(stub.url + "/same") } }
            _ = try await stub.requests.event(0)
            // One that leaves takes nothing from the others, be it the one who began.
            tasks[0].cancel()
            tasks[7].cancel()
            await #expect(throws: ImageFetchError.cancelled) { try await tasks[0].value }
            await #expect(throws: ImageFetchError.cancelled) { try await tasks[7].value }
            go.open()
            for (index, task) in tasks.enumerated() where index != 0 && index != 7 {
                #expect(try await task.value == "picture")
            }
            #expect(stub.requests.count == 1)
        }
    }

    @Test func `when the last caller leaves, the fetch stops`() async throws {
        let stub = try StubUpstream([.request, .untilPeerCloses])
        defer { stub.stop() }
        try await withImageFetcher { fetcher async throws in
            let tasks = (0..<3).map { _ in Task { try await fetcher.fetch(stub.url) } }
            _ = try await stub.requests.event(0)
            let left = ContinuousClock.now
            for task in tasks { task.cancel() }
            #expect(try await stub.closings.event(0).time - left < .milliseconds(100))
            #expect(await eventually { fetcher.openTransfers == 0 })
        }
    }

    @Test func `no more run at once than there are places, and none is lost`() async throws {
        let stub = try StubUpstream.answering { request in
            try? Gate().wait(patience: 0.005)
            return StubAnswer.whole(body: request.target)
        }
        defer { stub.stop() }
        try await withImageFetcher {
            $0.fetchesAtOnce = 3
            $0.fetchesPerHost = 0
        } _: { fetcher async throws in
            let slots = FetchSlots(2)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<40 {
                    group.addTask {
                        let image = try await fetcher.fetch(stub.url + "/\(index)", slots: index < 20 ? slots : nil)
                        #expect(image.bytes == Array("/\(index)".utf8))
                    }
                }
                try await group.waitForAll()
            }
            #expect(stub.connections.count <= 3)
        }
    }

    @Test func `one host never gets more connections than its share`() async throws {
        let go = Gate()
        let stub = try StubUpstream { connection in
            while true {
                try connection.readRequest()
                try go.wait()
                try connection.send(StubAnswer.whole(body: "picture"))
            }
        }
        defer { stub.stop() }
        try await withImageFetcher {
            $0.fetchesPerHost = 2
        } _: { fetcher async throws in
            let tasks = (0..<12).map { index in Task { try await fetcher.text(stub.url + "/\(index)") } }
            _ = try await stub.requests.event(1)
            go.open()
            for task in tasks { #expect(try await task.value == "picture") }
            #expect(stub.connections.count == 2)
        }
    }

    @Test func `a proxy in the environment is not asked`() async {
        // In a process of its own: the environment belongs to every thread.
        await #expect(processExitsWith: .success) {
            let proxy = try StubUpstream.answering { _ in StubAnswer.whole(body: "proxy") }
            let stub = try StubUpstream.answering { _ in StubAnswer.whole(body: "picture") }
            for name in ["http_proxy", "all_proxy", "ALL_PROXY"] { unsafe setenv(name, proxy.url, 1) }
            try await withImageFetcher { fetcher async throws in
                let text = try await fetcher.text(stub.url)
                let refused = await imageError(fetcher, "http://10.1.2.3/")
                guard text == "picture", refused == .addressNotAllowed, proxy.connections.count == 0 else { exit(1) }
            }
            try await withFetcher { fetcher async throws in
                guard try await fetcher.text(FetchRequest(url: stub.url)) == "picture" else { exit(2) }
            }
            try await withFetcher(FetcherConfiguration(proxy: .environment)) { fetcher async throws in
                // Shows that the proxy would have been found.
                guard try await fetcher.text(FetchRequest(url: stub.url)) == "proxy" else { exit(3) }
            }
        }
    }
}
