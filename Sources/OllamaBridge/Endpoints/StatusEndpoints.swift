import Fetch
import HTTPTypes
import HummingbirdCore
import Translate

/// `/metrics` for machines and `/bridge/status` for people. Neither names a key.
struct StatusEndpoints: Sendable {
    let metrics: BridgeMetrics
    let sources: BridgeMetrics.Sources
    let catalog: CatalogStore
    let started = Clock.now()

    func register(in routes: inout Routes) {
        routes.on(.get, at: "/metrics") { _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: .init(bytes: Array(metrics.text(sources).utf8)))
        }
        routes.on(.get, at: "/bridge/status") { _ in .json(JSONWriter.bytes(status)) }
    }

    private var status: JSONValue {
        let catalog = catalog.current
        let cache = sources.cache.counts
        let capacity = sources.capacity.counts
        let breakers = Dictionary(sources.health.breakers.map { ($0.provider, $0.state.rawValue) }) { $1 }
        return [
            "version": .text(Version.bridge), "ollama_version": .text(Version.ollama),
            "state": .text(sources.capacity.isDraining ? "stopping" : "ready"),
            "uptime_seconds": .integer(Int(Clock.now().since(started) / 1_000_000_000)),
            "models": .array(catalog.listed().map(model)),
            "providers": .array(catalog.providers.map { provider($0, breaker: breakers[$0.name]) }),
            "pictures": [
                "cached": .integer(cache.pictures), "cache_bytes": .integer(cache.bytes), "hits": .integer(cache.hits),
                "misses": .integer(cache.misses), "waiting": .integer(sources.workers.waiting),
            ],
            "requests": [
                "running": .integer(capacity.running), "queued": .integer(capacity.queued), "body_bytes": .integer(capacity.bodyBytes),
            ],
            "connections": [
                "clients": .integer(sources.connections.count), "upstream": .integer(sources.fetcher.openConnections),
                "transfers": .integer(sources.fetcher.openTransfers),
            ],
        ]
    }

    private func model(_ model: ResolvedModel) -> JSONValue {
        [
            "name": .text(model.listedName), "provider": .text(model.provider.name), "upstream_model": .text(model.upstreamID),
            "vision": .bool(model.capabilities.vision), "tools": .bool(model.capabilities.tools),
            "thinking": .bool(model.capabilities.thinking), "embedding": .bool(model.capabilities.embedding),
        ]
    }

    private func provider(_ provider: Provider, breaker: String?) -> JSONValue {
        var object: JSONObject = [
            "name": .text(provider.name), "base_url": .text(Self.withoutSecrets(provider.baseURL)), "usable": .bool(provider.isUsable),
        ]
        object["missing_key"] = provider.missingKeyVariable.map(JSONValue.text)
        object["breaker"] = .text(breaker ?? CircuitBreaker.State.closed.rawValue)
        object["latency_milliseconds"] = sources.health.latency(provider.name).map { .integer(Int($0 / 1_000_000)) }
        return .object(object)
    }

    /// Some write a key into the address.
    static func withoutSecrets(_ url: String) -> String {
        var url = String(url.prefix { $0 != "?" && $0 != "#" })
        guard let scheme = url.firstRange(of: "://"), let at = url[scheme.upperBound...].prefix(while: { $0 != "/" }).lastIndex(of: "@")
        else {
            return url
        }
        url.removeSubrange(scheme.upperBound...at)
        return url
    }
}
