import Translate

/// In which order the upstreams of one model are tried.
struct RouteChooser: Sendable {
    let health: ProviderHealth

    /// - Parameters:
    ///   - needsVision: Whether pictures are to be sent: then only members that see them count.
    ///   - name: The model's name as the client used it.
    /// - Returns: The members in the order to try them; the model itself where it has a single upstream.
    /// - Throws: `OllamaFailure` if no member sees pictures.
    func members(of model: ResolvedModel, needsVision: Bool, name: String) throws(OllamaFailure) -> [ResolvedModel] {
        guard !model.routes.isEmpty else { return [model] }
        // One without its key would be asked in vain.
        let usable = model.routes.filter(\.provider.isUsable)
        let routes = needsVision ? usable.filter(\.vision) : usable
        guard !routes.isEmpty else { throw ImageFault.noVision(model: name).failure() }
        let ordered =
            switch model.strategy {
            case .ordered: routes
            case .weighted: shuffled(routes)
            case .leastLatency: routes.sorted { latency($0) < latency($1) }
            }
        return ordered.map(model.over)
    }

    /// A member nobody has measured yet counts as fastest, so that it gets measured.
    private func latency(_ route: ResolvedModel.Route) -> Double { health.latency(route.provider.name) ?? 0 }

    /// Drawn one after another, each with a chance in proportion to its weight among those left.
    private func shuffled(_ routes: [ResolvedModel.Route]) -> [ResolvedModel.Route] {
        var left = routes
        var order: [ResolvedModel.Route] = []
        while !left.isEmpty {
            var ticket = Int.random(in: 0..<left.reduce(0) { $0 + max($1.weight, 1) })
            let index = left.firstIndex { route in
                ticket -= max(route.weight, 1)
                return ticket < 0
            }
            order.append(left.remove(at: index ?? 0))
        }
        return order
    }
}
