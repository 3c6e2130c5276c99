import Fetch
import Foundation
import TestSupport

/// Runs a test with a fetcher and ends it afterwards, whatever happened.
func withFetcher(
    _ configuration: FetcherConfiguration = FetcherConfiguration(), _ test: (Fetcher) async throws -> Void
) async throws {
    let fetcher = Fetcher(configuration)
    do {
        try await test(fetcher)
    } catch {
        await fetcher.shutdown()
        throw error
    }
    await fetcher.shutdown()
}

/// The error that a call ends with; nil if it ends well.
func fetchError(_ call: () async throws -> Void) async -> FetchError? {
    do {
        try await call()
        return nil
    } catch {
        return error as? FetchError
    }
}

extension FetchError {
    /// The case's name: tests ask what kind of failure it was, not how libcurl words it.
    var kind: String {
        String(describing: self).split(separator: "(").first.map(String.init) ?? ""
    }
}

extension FetchLimits {
    /// Limits that are never reached in a test.
    static let patient = FetchLimits(connect: .seconds(30), firstByte: .seconds(30), idle: .seconds(30))
}

/// How many descriptors this process has open.
func openDescriptors() -> Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? -1
}

/// Waits until something is so; for facts that have no event of their own.
func eventually(within patience: Duration = .seconds(10), _ condition: () -> Bool) async -> Bool {
    let end = ContinuousClock.now + patience
    while !condition() {
        if ContinuousClock.now > end { return false }
        try? await Task.sleep(for: .milliseconds(2))
    }
    return true
}

extension Fetcher {
    /// Sends a request and reads the whole answer.
    func text(_ request: FetchRequest) async throws -> String {
        String(decoding: try await send(request).body.collect(upTo: 1 << 26), as: UTF8.self)
    }
}
