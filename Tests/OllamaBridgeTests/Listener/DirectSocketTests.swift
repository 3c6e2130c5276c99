import Fetch
import Foundation
import NIOCore
import TestSupport
import Testing

@testable import OllamaBridge
@testable import Translate

/// The lines of a stream as clients see them: written by the fetcher's thread on both paths, on the whole one round the server library.
@Suite(.timeLimit(.minutes(2))) struct DirectSocketTests {
    /// Lines of every length around those where the chunk's size gets another digit.
    @Test func `chunks are framed with their size, one a line`() throws {
        for lengths in [[1], [15, 16, 17], [255, 256, 257, 4095, 4096], [65_535, 65_536, 1, 1 << 20]] {
            var lines = LineBatch()
            for length in lengths {
                lines.bytes += [UInt8](repeating: UInt8(ascii: "x"), count: length - 1) + [UInt8(ascii: "\n")]
                lines.ends.append(lines.bytes.count)
            }
            var output = Array("before".utf8)
            HTTPChunks.append(lines, to: &output)
            var expected = Array("before".utf8)
            for length in lengths {
                expected += Array("\(String(length, radix: 16))\r\n".utf8)
                expected += [UInt8](repeating: UInt8(ascii: "x"), count: length - 1) + Array("\n\r\n".utf8)
            }
            #expect(output == expected)
        }
    }

    /// An upstream whose numbered events come one at a time, in packets, or all at once.
    private func upstream(_ count: Int, size: Int = 10, together: Bool = false) throws -> StubUpstream {
        let filler = String(repeating: "x", count: size)
        let events = (0..<count).map { Say.event("\($0):\(filler)") }
        return try StubUpstream { connection in
            while true {
                try connection.readRequest()
                try connection.send(StubAnswer.eventStreamHead)
                if together { try connection.send(events.flatMap { $0 }) } else { for event in events { try connection.send(event) } }
                try connection.send(Say.stop + StubAnswer.lastChunk)
            }
        }
    }

    private func numbers(_ lines: some Sequence<[UInt8]>) -> [Int] {
        lines.compactMap { line in
            let text = String(decoding: line, as: UTF8.self)
            return text.firstMatch(of: #/"content":"(\d+):/#).flatMap { Int($0.1) }
        }
    }

    @Test(arguments: Path.allCases, [(400, 10, false), (400, 10, true), (50, 70_000, false), (50, 70_000, true)])
    func `every line is a chunk of its own and none is lost`(_ path: Path, _ stream: (count: Int, size: Int, together: Bool)) async throws {
        let (count, size, together) = stream
        let upstream = try upstream(count, size: size, together: together)
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let client = try bridge.client()
            // Twice on one connection: the way is given back whole.
            for request in [path.of(Ask.chat()), path.of(Ask.chat())] {
                try await client.send(request)
                let head = try await client.read(upTo: "\r\n\r\n")
                #expect(head.lowercased().contains("transfer-encoding: chunked"))
                var chunks: [[UInt8]] = []
                while let chunk = try await client.readChunk() { chunks.append(chunk) }
                #expect(chunks.allSatisfy { $0.last == UInt8(ascii: "\n") && $0.count { $0 == UInt8(ascii: "\n") } == 1 })
                #expect(numbers(chunks) == Array(0..<count))
                #expect(chunks.last.map { String(decoding: $0, as: UTF8.self).contains(#""done":true"#) } == true)
            }
            #expect(try await client.exchange(Ask.get("/api/version")).status == 200)
        }
    }

    @Test(arguments: Path.allCases)
    func `a client that reads slowly gets every line, slows the upstream, and costs bounded memory`(path: Path) async throws {
        let upstream = try upstream(3000, size: 16_000)
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let client = try bridge.client()
            try await client.send(path.of(Ask.chat()))
            _ = try await client.read(upTo: "\r\n\r\n")
            // 48 MB are on their way; what is not in the sockets' buffers waits at the upstream.
            let before = ProcessCounts.residentBytes
            var largest = 0
            for _ in 0..<20 {
                try await Task.sleep(for: .milliseconds(50))
                largest = max(largest, ProcessCounts.residentBytes - before)
            }
            #expect(largest < 16 << 20)
            var chunks: [[UInt8]] = []
            while let chunk = try await client.readChunk() { chunks.append(Array(chunk.prefix(200))) }
            #expect(numbers(chunks) == Array(0..<3000))
        }
    }

    @Test func `an HTTP 1.0 client gets lines without frames and the end of the connection`() async throws {
        let upstream = try upstream(100)
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let client = try bridge.client()
            let answer = try await client.exchange(Ask.chat().replacing("HTTP/1.1", with: "HTTP/1.0"))
            #expect(answer.head.hasPrefix("HTTP/1.0 200") && answer.field("transfer-encoding") == nil)
            let lines = answer.body.split(separator: UInt8(ascii: "\n")).map(Array.init)
            #expect(numbers(lines) == Array(0..<100) && lines.count == 101)
        }
    }

    @Test func `requests that come while one is answered are answered in order, one at a time`() async throws {
        let upstream = try upstream(50)
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let client = try bridge.client()
            try await client.send(Ask.chat() + Ask.get("/api/version") + Ask.chat() + Ask.chat(stream: false) + Ask.get("/api/version"))
            #expect(numbers(try await client.response().body.split(separator: UInt8(ascii: "\n")).map(Array.init)) == Array(0..<50))
            #expect(try await client.response().text.contains("version"))
            #expect(numbers(try await client.response().body.split(separator: UInt8(ascii: "\n")).map(Array.init)) == Array(0..<50))
            #expect(try await client.response().text.contains(#""done":true"#))
            #expect(try await client.response().text.contains("version"))
            // Never a second one while the first was running: the stub answers one after another on a single connection.
            #expect(upstream.connections.count == 1)
        }
    }

    @Test(arguments: Path.allCases, [false, true])
    func `a client that leaves while lines wait for it ends the upstream's work`(path: Path, byReset: Bool) async throws {
        let upstream = try StubUpstream { connection in
            try connection.readRequest()
            try connection.send(StubAnswer.eventStreamHead)
            let event = Say.event(String(repeating: "x", count: 16_000))
            while true { try connection.send(event) }
        }
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let warm = try bridge.client()
            #expect(try await warm.exchange(Ask.get("/api/version")).status == 200)
            warm.close()
            #expect(await ProcessCounts.eventually { bridge.running.parts.connections.count == 0 })
            let before = Holdings(bridge)
            for round in 0..<5 {
                let client = try bridge.client()
                try await client.send(path.of(Ask.chat()))
                _ = try await client.read(upTo: "xxxx")
                // Long enough for the sockets to fill; whether they have makes no difference to what must follow.
                try await Task.sleep(for: .milliseconds(200))
                if byReset { client.reset() } else { client.close() }
                _ = try await upstream.closings.event(round)
            }
            await before.expectNothingMore(bridge)
        }
    }

    @Test(arguments: Path.allCases)
    func `a thousand streams leave no descriptor of the way behind`(path: Path) async throws {
        let upstream = try upstream(5)
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let client = try bridge.client()
            #expect(try await client.exchange(path.of(Ask.chat())).status == 200)
            let before = ProcessCounts.descriptors
            for _ in 0..<1000 { #expect(try await client.exchange(path.of(Ask.chat())).body.count > 100) }
            #expect(ProcessCounts.descriptors <= before + 1)
        }
    }
}
