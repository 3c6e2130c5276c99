import Fetch
import Synchronization
import Translate

/// The requests that go to upstreams, but for their bodies: made once for each provider and path and then copied, which the fetcher makes
/// use of.
final class UpstreamRequests: Sendable {
    private static let most = 16

    private struct Kept {
        let provider: Provider
        let path: String
        let request: FetchRequest
    }

    private let limits: FetchLimits
    private let kept = Mutex<[Kept]>([])

    init(limits: FetchLimits) { self.limits = limits }

    /// A request without its body.
    func request(to provider: Provider, path: String) -> FetchRequest {
        kept.withLock { kept in
            if let found = kept.first(where: { $0.provider === provider && $0.path == path }) { return found.request }
            let request = make(provider, path)
            if kept.count == Self.most { kept.removeFirst() }
            kept.append(Kept(provider: provider, path: path, request: request))
            return request
        }
    }

    private func make(_ provider: Provider, _ path: String) -> FetchRequest {
        // libcurl adds that it accepts everything. Each byte here costs it 85 instructions a request.
        var headers: [(name: String, value: String)] = [("Content-Type", "application/json"), ("Accept-Encoding", "identity")]
        // Keys go to the provider's own address and nowhere else.
        headers += provider.requestHeaders.map { ($0.name, $0.value.value) }
        return FetchRequest(method: "POST", url: provider.baseURL + path, headers: headers, limits: limits)
    }
}
