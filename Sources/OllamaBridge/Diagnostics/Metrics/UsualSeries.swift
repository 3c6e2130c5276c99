import Metrics
import Synchronization

/// The series in which every request counts, each looked up in the registry once: asking it by labels costs more than a small chat's
/// translation.
final class UsualSeries: Sendable {
    struct OfRoute: Sendable {
        let requests: Counter
        let time: Metrics.Timer
    }

    struct OfModel: Sendable {
        let firstToken: Metrics.Timer
        let promptTokens: Counter
        let answerTokens: Counter
    }

    private struct RouteAndStatus: Hashable {
        let route: String
        let status: Int
    }

    /// The last one found is often wanted again, and comparing is quicker than hashing.
    private struct Found<Key: Hashable & Sendable, Series: Sendable>: Sendable {
        private var all: [Key: Series] = [:]
        private var last: (key: Key, series: Series)?

        mutating func find(_ key: Key, otherwise make: () -> Series) -> Series {
            if let last, last.key == key { return last.series }
            let series = all[key] ?? make()
            all[key] = series
            last = (key, series)
            return series
        }

        /// - Returns: The key itself if it has a series or there is room for one more.
        func key(_ key: Key, atMost most: Int, otherwise other: Key) -> Key {
            last?.key == key || all.count < most || all[key] != nil ? key : other
        }
    }

    /// Under a wildcard the names are the clients' to make up.
    static let mostModels = 1000

    private let registry: PrometheusRegistry
    // As many as the registry has, and no more.
    private let routes = Mutex(Found<RouteAndStatus, OfRoute>())
    private let models = Mutex(Found<String, OfModel>())

    init(_ registry: PrometheusRegistry) { self.registry = registry }

    func ofRoute(_ route: String, status: Int) -> OfRoute {
        routes.withLock { routes in
            routes.find(RouteAndStatus(route: route, status: status)) {
                OfRoute(
                    requests: counter("ollamabridge_requests_total", [("route", route), ("status", String(status))]),
                    time: timer("ollamabridge_request_seconds", [("route", route)]))
            }
        }
    }

    func ofModel(_ model: String) -> OfModel {
        models.withLock { models in
            let model = models.key(model, atMost: Self.mostModels, otherwise: "other")
            return models.find(model) {
                OfModel(
                    firstToken: timer("ollamabridge_first_token_seconds", [("model", model)]),
                    promptTokens: counter("ollamabridge_tokens_total", [("model", model), ("kind", "prompt")]),
                    answerTokens: counter("ollamabridge_tokens_total", [("model", model), ("kind", "answer")]))
            }
        }
    }

    private func counter(_ name: String, _ dimensions: [(String, String)]) -> Counter {
        Counter(label: name, dimensions: dimensions, factory: registry)
    }

    private func timer(_ name: String, _ dimensions: [(String, String)]) -> Metrics.Timer {
        Metrics.Timer(label: name, dimensions: dimensions, factory: registry)
    }
}
