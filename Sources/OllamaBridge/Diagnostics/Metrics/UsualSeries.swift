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

    private let registry: PrometheusRegistry
    // As many as the registry has, and no more.
    private let routes = Mutex<[RouteAndStatus: OfRoute]>([:])
    private let models = Mutex<[String: OfModel]>([:])

    init(_ registry: PrometheusRegistry) { self.registry = registry }

    func ofRoute(_ route: String, status: Int) -> OfRoute {
        routes.withLock { routes in
            let key = RouteAndStatus(route: route, status: status)
            if let series = routes[key] { return series }
            let series = OfRoute(
                requests: counter("ollamabridge_requests_total", [("route", route), ("status", String(status))]),
                time: timer("ollamabridge_request_seconds", [("route", route)]))
            routes[key] = series
            return series
        }
    }

    func ofModel(_ model: String) -> OfModel {
        models.withLock { models in
            if let series = models[model] { return series }
            let series = OfModel(
                firstToken: timer("ollamabridge_first_token_seconds", [("model", model)]),
                promptTokens: counter("ollamabridge_tokens_total", [("model", model), ("kind", "prompt")]),
                answerTokens: counter("ollamabridge_tokens_total", [("model", model), ("kind", "answer")]))
            models[model] = series
            return series
        }
    }

    private func counter(_ name: String, _ dimensions: [(String, String)]) -> Counter {
        Counter(label: name, dimensions: dimensions, factory: registry)
    }

    private func timer(_ name: String, _ dimensions: [(String, String)]) -> Metrics.Timer {
        Metrics.Timer(label: name, dimensions: dimensions, factory: registry)
    }
}
