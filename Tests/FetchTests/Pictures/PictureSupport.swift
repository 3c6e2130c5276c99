import TestSupport

@testable import Fetch

/// How a fetch fails; nil if it does not.
func imageError(_ fetcher: ImageFetcher, _ url: String) async -> ImageFetchError? {
    do throws(ImageFetchError) {
        _ = try await fetcher.fetch(url)
        return nil
    } catch {
        return error
    }
}

/// Answers for names as a test says; the n-th question gets the n-th answer, the last one again and again.
final class ScriptedResolver: HostResolver {
    private let answers: [String: [[String]]]
    private let asked = LockedValue<[String: Int]>([:])

    init(_ answers: [String: [[String]]]) {
        self.answers = answers
    }

    func addresses(of host: String) async -> [IPAddress] {
        let turn = asked.withLock { asked in
            defer { asked[host, default: 0] += 1 }
            return asked[host] ?? 0
        }
        guard let script = answers[host] else { return [] }
        return script[min(turn, script.count - 1)].compactMap { IPAddress($0) }
    }
}

/// Runs a test with an image fetcher and ends it afterwards, whatever happened.
func withImageFetcher(
    allowed: [String] = ["127.0.0.1"], _ change: (inout ImageFetchConfiguration) -> Void = { _ in },
    _ test: (ImageFetcher) async throws -> Void
) async throws {
    var configuration = ImageFetchConfiguration(allowed: try AllowedHosts(allowed))
    configuration.retryDelay = .milliseconds(1)
    change(&configuration)
    let fetcher = ImageFetcher(configuration: configuration)
    do {
        try await test(fetcher)
    } catch {
        await fetcher.shutdown()
        throw error
    }
    await fetcher.shutdown()
}

extension ImageFetcher {
    /// Fetches something and reads it as text.
    func text(_ url: String) async throws -> String {
        String(decoding: try await fetch(url).bytes, as: UTF8.self)
    }
}
