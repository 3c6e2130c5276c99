import Fetch
import Foundation
import TestSupport
import Testing

@testable import OllamaBridge

/// Whatever a client has asked, once it leaves nobody works or pays for it any longer.
@Suite struct ClientLeavesTests {
    enum Way: String, Sendable, CaseIterable {
        case fin, reset

        func leave(_ client: RawClient) {
            switch self {
            case .fin: client.close()
            case .reset: client.reset()
            }
        }
    }

    /// A quiet machine takes a millisecond or two; the rest is for one that is busy otherwise, and for sanitizers.
    private static let patience = Duration.milliseconds(250) * ProcessCounts.slowdown
    /// What 99 of 100 departures are noticed within.
    private static let usual = Duration.milliseconds(100) * ProcessCounts.slowdown

    private static let requests = [
        Ask.chat(), Ask.chat(stream: false), Ask.generate(), Ask.generate(stream: false), Ask.embed, Ask.openAI(),
        Ask.openAI(stream: false), Path.whole.of(Ask.chat()), Path.whole.of(Ask.chat(stream: false)),
    ]

    /// - Returns: How long after the client's leaving the upstream saw its connection closed.
    private func delay(_ upstream: StubUpstream, closing index: Int, _ leave: () -> Void) async throws -> Duration {
        let left = ContinuousClock.now
        leave()
        return left.duration(to: try await upstream.closings.event(index).time)
    }

    @Test(arguments: Way.allCases)
    func `while it waits for the first token, on every route`(way: Way) async throws {
        let upstream = try StubUpstream([.request, .untilPeerCloses])
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            for (index, request) in Self.requests.enumerated() {
                let client = try bridge.client()
                try await client.send(request)
                _ = try await upstream.requests.event(index)
                let delay = try await delay(upstream, closing: index) { way.leave(client) }
                #expect(delay < Self.patience, "\(request)")
            }
            #expect(await ProcessCounts.eventually { bridge.running.parts.fetcher.openTransfers == 0 })
            #expect(await ProcessCounts.eventually { bridge.running.parts.capacity.counts.running == 0 })
            #expect(try await bridge.answersHonestly())
        }
    }

    @Test(arguments: Way.allCases)
    func `in the middle of a stream, on every route that streams`(way: Way) async throws {
        let upstream = try StubUpstream([
            .request, .send(StubAnswer.eventStreamHead), .bytes(Say.event("first")), .untilPeerCloses,
        ])
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            for (index, request) in [Ask.chat(), Ask.generate(), Ask.openAI(), Path.whole.of(Ask.chat())].enumerated() {
                let client = try bridge.client()
                try await client.send(request)
                _ = try await client.read(upTo: "first")
                let delay = try await delay(upstream, closing: index) { way.leave(client) }
                #expect(delay < Self.patience, "\(request)")
            }
            #expect(await ProcessCounts.eventually { bridge.running.parts.fetcher.openTransfers == 0 })
            #expect(try await bridge.answersHonestly())
        }
    }

    @Test func `ninety-nine of a hundred departures are noticed upstream within 100 ms`() async throws {
        let upstream = try StubUpstream { connection in
            let request = try connection.readRequest()
            if request.text.contains(#""stream":true"#) {
                try connection.send(StubAnswer.eventStreamHead)
                try connection.send(Say.event("first"))
            }
            connection.waitForPeerClosing()
        }
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            var delays: [Duration] = []
            for index in 0..<100 {
                let client = try bridge.client()
                let request = Self.requests[index % Self.requests.count]
                try await client.send(request)
                if try await upstream.requests.event(index).text.contains(#""stream":true"#) { _ = try await client.read(upTo: "first") }
                delays.append(try await delay(upstream, closing: index) { Way.allCases[index / 7 % 2].leave(client) })
            }
            delays.sort()
            #expect(delays[98] < Self.usual, "the slowest: \(delays.suffix(5))")
        }
    }

    @Test func `in the middle of a whole answer`() async throws {
        let upstream = try StubUpstream([
            .request, .send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{\"choices\":["),
            .untilPeerCloses,
        ])
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            for (index, request) in [Ask.chat(stream: false), Ask.generate(stream: false), Ask.embed, Ask.openAI(stream: false)]
                .enumerated()
            {
                let client = try bridge.client()
                try await client.send(request)
                _ = try await upstream.requests.event(index)
                #expect(try await delay(upstream, closing: index) { client.close() } < Self.patience, "\(request)")
            }
        }
    }

    @Test(arguments: Way.allCases)
    func `while the upstream is being connected to`(way: Way) async throws {
        let nobody = try FullListener()
        defer { nobody.close() }
        try await TestBridge.with(upstream: nobody.url) { bridge in
            let fetcher = bridge.running.parts.fetcher
            for request in Self.requests {
                let client = try bridge.client()
                try await client.send(request)
                #expect(await ProcessCounts.eventually { fetcher.openTransfers == 1 })
                way.leave(client)
                #expect(await ProcessCounts.eventually(within: Self.patience) { fetcher.openTransfers == 0 }, "\(request)")
            }
        }
    }

    @Test func `while a picture is being fetched`() async throws {
        let host = try StubUpstream([.request, .untilPeerCloses])
        defer { host.stop() }
        try await TestBridge.with(arguments: ["--allow-image-host", "127.0.0.1"]) { bridge in
            for index in 0..<3 {
                let client = try bridge.client()
                try await client.send(Ask.chat(images: ["\(host.url)/slow-\(index).png"]))
                _ = try await host.requests.event(index)
                #expect(try await delay(host, closing: index) { client.close() } < Self.patience)
            }
            #expect(try await bridge.answersHonestly())
        }
    }

    @Test func `while a picture is being worked on`() async throws {
        let upstream = try StubUpstream([.request, .untilPeerCloses])
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let capacity = bridge.running.parts.capacity
            let picture = try LargePicture.base64()
            let client = try bridge.client()
            try await client.send(Ask.chat(images: [picture]))
            #expect(await ProcessCounts.eventually { capacity.counts.running == 1 })
            client.close()
            #expect(await ProcessCounts.eventually(within: .milliseconds(500)) { capacity.counts.running == 0 })
            #expect(upstream.requests.count == 0)
        }
    }

    @Test func `a thousand that leave at once leave nothing behind`() async throws {
        let upstream = try StubUpstream([
            .request, .send(StubAnswer.eventStreamHead), .bytes(Say.event("first")), .untilPeerCloses,
        ])
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let parts = bridge.running.parts
            let before = ProcessCounts.descriptors
            for round in 0..<20 {
                let clients = try (0..<50).map { _ in try bridge.client() }
                for client in clients { try await client.send(Ask.chat()) }
                for client in clients { _ = try await client.read(upTo: "first") }
                for client in clients { round.isMultiple(of: 2) ? client.close() : client.reset() }
            }
            #expect(await ProcessCounts.eventually { parts.fetcher.openTransfers == 0 && parts.connections.count == 0 })
            // The stub's own ends are this process's too, each closed by a thread of its own.
            #expect(await ProcessCounts.eventually { upstream.closings.count == 1000 })
            #expect(
                await ProcessCounts.eventually(within: .seconds(30)) { ProcessCounts.descriptors <= before + 2 },
                "there were \(before), there are \(ProcessCounts.descriptorKinds)")
            #expect(try await bridge.answersHonestly())
        }
    }
}

/// A picture that takes long to convert and few bytes to send.
enum LargePicture {
    /// A grey PNG of 49 megapixels.
    static func base64() throws -> String {
        let (width, height) = (7000, 7000)
        var png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        func chunk(_ type: String, _ data: [UInt8]) {
            let body = Array(type.utf8) + data
            png += bigEndian(UInt32(data.count)) + body + bigEndian(CRC32.of(body))
        }
        chunk("IHDR", bigEndian(UInt32(width)) + bigEndian(UInt32(height)) + [8, 0, 0, 0, 0])
        chunk("IDAT", zlibOfZeros((width + 1) * height))
        chunk("IEND", [])
        return Data(png).base64EncodedString()
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }

    /// A zlib stream of stored-length zeros, deflated as runs: one literal, then matches of 258 bytes at distance 1, in fixed codes.
    private static func zlibOfZeros(_ count: Int) -> [UInt8] {
        var bits = BitWriter()
        bits.write(1, 1)
        bits.write(1, 2)
        bits.writeCode(0x30, 8)
        var rest = count - 1
        while rest >= 258 {
            // Length code 285 (258 bytes) is 0xC5 in eight bits, distance code 0 is five zero bits.
            bits.writeCode(0xC5, 8)
            bits.writeCode(0, 5)
            rest -= 258
        }
        for _ in 0..<rest { bits.writeCode(0x30, 8) }
        bits.writeCode(0, 7)
        // Adler-32 of zeros: a stays 1, b is the count.
        let adler = UInt32(count % 65521) << 16 | 1
        return [0x78, 0x01] + bits.finished() + bigEndian(adler)
    }
}

private struct BitWriter {
    private var bytes: [UInt8] = []
    private var current: UInt8 = 0
    private var used = 0

    mutating func write(_ value: Int, _ count: Int) {
        for bit in 0..<count { push(UInt8(value >> bit & 1)) }
    }

    /// Huffman codes go in from their highest bit.
    mutating func writeCode(_ value: Int, _ count: Int) {
        for bit in (0..<count).reversed() { push(UInt8(value >> bit & 1)) }
    }

    private mutating func push(_ bit: UInt8) {
        current |= bit << used
        used += 1
        if used == 8 {
            bytes.append(current)
            (current, used) = (0, 0)
        }
    }

    func finished() -> [UInt8] { used == 0 ? bytes : bytes + [current] }
}

private enum CRC32 {
    static func of(_ bytes: [UInt8]) -> UInt32 {
        var crc = ~UInt32(0)
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 {
                let half = crc >> 1
                crc = crc & 1 == 1 ? half ^ 0xEDB8_8320 : half
            }
        }
        return ~crc
    }
}
