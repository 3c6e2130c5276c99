import Fetch
import Metrics
import Translate

/// Everything the bridge counts, and where the rest of the figures come from when somebody looks.
struct BridgeMetrics: Sendable {
    /// Figures that other parts keep anyway; read when the metrics are.
    struct Sources: Sendable {
        var capacity: Capacity
        var fetcher: Fetcher
        var cache: PictureCache
        var workers: PictureWorkers
        var health: ProviderHealth
        var connections: Connections
    }

    private let registry: PrometheusRegistry
    private let usual: UsualSeries

    init() {
        registry = PrometheusRegistry()
        usual = UsualSeries(registry)
        registry.describe("ollamabridge_requests_total", "Requests answered, by route and status.")
        registry.describe("ollamabridge_errors_total", "Failed requests, by who was at fault.")
        registry.describe("ollamabridge_first_token_seconds", "From a request's arrival to the first token of its answer.")
        registry.describe("ollamabridge_request_seconds", "From a request's arrival to the last byte of its answer.")
        registry.describe("ollamabridge_tokens_total", "Tokens as upstreams reported them.")
        registry.describe("ollamabridge_pictures_total", "Pictures of requests, by what became of them.")
        registry.describe("ollamabridge_picture_cache_total", "Pictures looked up among those converted before.")
        registry.describe("ollamabridge_active_requests", "Requests that occupy an upstream.")
        registry.describe("ollamabridge_queued_requests", "Requests that wait for a place at an upstream.")
        registry.describe("ollamabridge_body_bytes_in_flight", "Bytes of request bodies held.")
        registry.describe("ollamabridge_connections", "Open connections of clients.")
        registry.describe("ollamabridge_upstream_connections", "Open connections to upstreams, resting ones included.")
        registry.describe("ollamabridge_upstream_transfers", "Exchanges with upstreams that run.")
        registry.describe("ollamabridge_picture_queue", "Pictures that wait for a thread.")
        registry.describe("ollamabridge_breaker_state", "1 for the state a provider's breaker is in.")
        for fault in Fault.allCases { count("ollamabridge_errors_total", 0, [("fault", fault.rawValue)]) }
    }

    /// - Parameters:
    ///   - status: What the client was told.
    ///   - nanoseconds: From the request's arrival to the last byte of its answer.
    func requestEnded(_ facts: RequestRecord.Facts, status: Int, nanoseconds: Int64) {
        let route = usual.ofRoute(facts.route ?? "other", status: status)
        route.requests.increment()
        route.time.recordNanoseconds(nanoseconds)
        if let fault = Fault(status: status, failure: facts.failure) {
            count("ollamabridge_errors_total", 1, [("fault", fault.rawValue)])
        }
        guard let model = facts.model else { return }
        if facts.firstToken != nil || facts.promptTokens > 0 || facts.answerTokens > 0 {
            let model = usual.ofModel(model)
            if let firstToken = facts.firstToken { model.firstToken.recordNanoseconds(firstToken) }
            model.promptTokens.increment(by: facts.promptTokens)
            model.answerTokens.increment(by: facts.answerTokens)
        }
        for picture in facts.pictures { count("ollamabridge_pictures_total", 1, [("outcome", picture.outcome.name)]) }
    }

    func text(_ sources: Sources) -> String {
        let capacity = sources.capacity.counts
        set("ollamabridge_active_requests", capacity.running)
        set("ollamabridge_queued_requests", capacity.queued)
        set("ollamabridge_body_bytes_in_flight", capacity.bodyBytes)
        set("ollamabridge_connections", sources.connections.count)
        set("ollamabridge_upstream_connections", sources.fetcher.openConnections)
        set("ollamabridge_upstream_transfers", sources.fetcher.openTransfers)
        set("ollamabridge_picture_queue", sources.workers.waiting)
        let cache = sources.cache.counts
        set("ollamabridge_picture_cache_bytes", cache.bytes)
        set("ollamabridge_picture_cache_pictures", cache.pictures)
        for (provider, state) in sources.health.breakers {
            for other in [CircuitBreaker.State.closed, .open, .halfOpen] {
                set("ollamabridge_breaker_state", other == state ? 1 : 0, [("provider", provider), ("state", other.rawValue)])
            }
        }
        raise("ollamabridge_picture_cache_total", to: cache.hits, [("result", "hit")])
        raise("ollamabridge_picture_cache_total", to: cache.misses, [("result", "miss")])
        return registry.text()
    }

    private func count(_ name: String, _ amount: Int, _ dimensions: [(String, String)]) {
        Counter(label: name, dimensions: dimensions, factory: registry).increment(by: amount)
    }

    private func set(_ name: String, _ value: Int, _ dimensions: [(String, String)] = []) {
        Meter(label: name, dimensions: dimensions, factory: registry).set(value)
    }

    /// For a figure that another part counts.
    private func raise(_ name: String, to value: Int, _ dimensions: [(String, String)]) {
        guard let counter = registry.makeCounter(label: name, dimensions: dimensions) as? PrometheusCounter else { return }
        counter.increment(by: Int64(value) - counter.value)
    }
}

extension PictureFact.Outcome {
    /// One word.
    var name: String {
        switch self {
        case .sent(_, _, let fromCache): fromCache ? "cached" : "converted"
        case .notice: "notice"
        case .rejected: "rejected"
        case .described: "described"
        }
    }
}
