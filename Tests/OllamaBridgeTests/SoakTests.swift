import Fetch
import Foundation
import TestSupport
import Testing

@testable import OllamaBridge

/// Long and crowded runs, for `Scripts/soak`; not part of the usual tests.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["OLLAMA_BRIDGE_SOAK"] != nil), .serialized)
struct SoakTests {
    private static let chunks = 200

    /// The upstream fails in the middle for one stream in twenty.
    private func upstream(departures: Departures) throws -> StubUpstream {
        try StubUpstream { connection in
            while true {
                let request = try connection.readRequest()
                let number = Int(request.text.firstMatch(of: #/stream (\d+)\./#).map { $0.1 } ?? "0") ?? 0
                try connection.send(StubAnswer.eventStreamHead)
                for chunk in 0..<Self.chunks {
                    if number % 20 == 7, chunk == Self.chunks / 2 { return connection.reset() }
                    try connection.send(Say.event("<\(number):\(chunk)>"))
                    if connection.peerCloses(withinMilliseconds: 50) { return departures.noticed(number) }
                }
                try connection.send(Say.stop + StubAnswer.lastChunk)
            }
        }
    }

    @Test func `500 streams of 200 chunks with clients that leave and upstreams that fail`() async throws {
        let departures = Departures()
        let upstream = try upstream(departures: departures)
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let (port, before) = (bridge.port, ProcessCounts.descriptors)
            let results = LockedValue<[String: Int]>([:])
            let began = ContinuousClock.now
            await BlockingClient.crowd(500) { number in
                let outcome = Self.follow(number, port: port, departures: departures)
                results.withLock { $0[outcome, default: 0] += 1 }
            }
            let seconds = began.duration(to: .now)
            #expect(await ProcessCounts.eventually { bridge.running.parts.fetcher.openTransfers == 0 })
            #expect(await ProcessCounts.eventually(within: .seconds(40)) { ProcessCounts.descriptors <= before + 130 })
            let delays = departures.delays.sorted()
            let late = delays.isEmpty ? 0 : delays[min(delays.count - 1, delays.count * 99 / 100)]
            print(
                "SOAK streams: \(results.withLock { $0 }), \(seconds); cancel ms p50 \(delays[delays.count / 2]), p99 \(late); n \(delays.count)"
            )
            #expect(results.withLock { $0["wrong"] == nil })
            #expect(results.withLock { $0["complete"] ?? 0 } == 425)
            #expect(late < 100)
        }
    }

    /// - Returns: `complete`, `left`, `broken` (told so, as planned), or `wrong`.
    private static func follow(_ number: Int, port: Int, departures: Departures) -> String {
        let leaves = number % 10 == 3
        let fails = number % 20 == 7
        guard let client = try? BlockingClient(port: port) else { return "wrong" }
        let body = #"{"model": "seer", "messages": [{"role": "user", "content": "stream \#(number)."}]}"#
        guard (try? client.send(Ask.post("/api/chat", body))) != nil else { return "wrong" }
        var next = 0
        while let line = client.line() {
            if line.contains("<\(number):\(next)>") { next += 1 } else if line.contains("<") { return "wrong" }
            if leaves, next == 20 + number % 100 {
                departures.left(number)
                return "left"
            }
            if line.contains(#""error""#) { return fails ? "broken" : "wrong" }
            if line.contains(#""done":true"#) { return next == chunks && !fails ? "complete" : "wrong" }
        }
        return "wrong"
    }

    @Test func `100,000 requests in flat memory`() async throws {
        let upstream = try StubUpstream { connection in
            let answer = Array(StubAnswer.eventStreamHead.utf8) + Say.stream(["a", "b", "c"])
            while true {
                // Not `readRequest`, which notes every request: that would be the growth that is measured.
                let head = String(decoding: try connection.readHead(), as: UTF8.self)
                let length = head.firstMatch(of: #/(?i)content-length: (\d+)/#).flatMap { Int($0.1) }
                _ = try connection.read(length ?? 0)
                try connection.send(answer)
            }
        }
        defer { upstream.stop() }
        try await TestBridge.with(upstream: upstream.url) { bridge in
            let port = bridge.port
            var memory: [Int] = []
            let began = ContinuousClock.now
            for round in 1...30 {
                await BlockingClient.crowd(16) { _ in
                    guard let client = try? BlockingClient(port: port) else { return }
                    for _ in 0..<209 {
                        guard (try? client.send(Ask.chat())) != nil else { return }
                        while let line = client.line() { if line == "0\r" { break } }
                        _ = client.line()
                    }
                }
                memory.append(ProcessCounts.residentBytes >> 10)
                print(
                    "SOAK round \(round): \(round * 16 * 209) requests, \(memory[round - 1]) KiB, \(ProcessCounts.descriptors) descriptors")
            }
            let middle = memory[10..<20].reduce(0, +) / 10
            let last = memory[20..<30].reduce(0, +) / 10
            print("SOAK memory: middle third \(middle) KiB, last third \(last) KiB, \(began.duration(to: .now))")
            #expect(Double(last) < Double(middle) * 1.05)
        }
    }
}

/// When clients left, and when their upstreams noticed.
private final class Departures: Sendable {
    private let state = LockedValue((left: [Int: ContinuousClock.Instant](), milliseconds: [Double]()))

    var delays: [Double] { state.withLock { $0.milliseconds } }

    func left(_ number: Int) { state.withLock { $0.left[number] = .now } }

    /// - Parameter number: The stream whose connection turned out to be closed.
    func noticed(_ number: Int) {
        let now = ContinuousClock.now
        state.withLock { state in
            guard let left = state.left[number] else { return }
            let delay = left.duration(to: now)
            state.milliseconds.append(Double(delay.components.attoseconds) / 1e15 + Double(delay.components.seconds) * 1000)
        }
    }
}
