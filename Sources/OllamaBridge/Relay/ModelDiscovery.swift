import Fetch
import Logging
import ServiceLifecycle
import Translate

/// Asks providers which models they have, for wildcards in models.json and for what the file leaves open.
///
/// Clients never wait for it longer than ``patience``; while a provider is down its last list stays.
struct ModelDiscovery: Service {
    static let patience = Duration.milliseconds(300)
    private static let interval = Duration.seconds(600)
    /// Sooner after a failure: a local server is often started after the bridge.
    private static let intervalAfterFailure = Duration.seconds(30)
    private static let limits = FetchLimits(
        connect: .seconds(5), firstByte: .seconds(10), idle: .seconds(10), total: .seconds(20), maxBodyBytes: 16 << 20)

    let catalog: CatalogStore
    let fetcher: Fetcher
    let log: Logger
    private let firstRound = Gate()

    init(catalog: CatalogStore, fetcher: Fetcher, log: Logger) {
        self.catalog = catalog
        self.fetcher = fetcher
        self.log = log
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                let succeeded = await refresh()
                firstRound.open()
                try? await Task.sleep(for: succeeded ? Self.interval : Self.intervalAfterFailure)
            }
        }
    }

    /// Waits, briefly, until providers have been asked once.
    func settle() async { await firstRound.wait(atMost: Self.patience) }

    /// Asks again at once, because models.json has changed.
    func refreshNow() async { _ = await refresh() }

    /// - Returns: Whether every provider asked gave a list.
    private func refresh() async -> Bool {
        let snapshot = catalog.current
        let wanted = snapshot.providers.filter { $0.isUsable && !$0.baseURL.isEmpty && snapshot.wantsDiscovery(ofProvider: $0.name) }
        return await withTaskGroup(of: Bool.self) { group in
            for provider in wanted { group.addTask { await refresh(provider) } }
            return await group.reduce(true) { $0 && $1 }
        }
    }

    private func refresh(_ provider: Provider) async -> Bool {
        switch await Self.list(provider, fetcher) {
        case .success(let models):
            catalog.update { $0.setDiscovered(models, ofProvider: provider.name) }
            log.debug("Asked a provider for its models", metadata: ["provider": "\(provider.name)", "models": "\(models.count)"])
            return true
        case .failure(let problem):
            log.notice("A provider did not list its models", metadata: ["provider": "\(provider.name)", "error": "\(problem.what)"])
            return false
        }
    }

    /// Why a provider's list could not be had, and what a person can do about it.
    struct Problem: Error {
        var what: String
        var remedy: String
    }

    static func list(_ provider: Provider, _ fetcher: Fetcher) async -> Result<[DiscoveredModel], Problem> {
        let request = FetchRequest(
            method: "GET", url: provider.baseURL + "/models", headers: provider.requestHeaders.map { ($0.name, $0.value.value) },
            limits: limits)
        do {
            let reply = try await fetcher.send(request)
            guard (200..<300).contains(reply.status) else { return .failure(problem(status: reply.status, provider)) }
            let body = try await reply.body.collect(upTo: 16 << 20)
            guard let json = try? JSONParser.parse(body, rule: .repair), let models = DiscoveredModel.parse(json) else {
                return .failure(
                    Problem(what: "what it sent is no model list", remedy: "Check that base_url ends where /models begins, often in /v1."))
            }
            return .success(models)
        } catch {
            guard let problem = TransportProblem(error) else { return .failure(Problem(what: "it was stopped", remedy: "")) }
            let failure = FailureMapping.failure(problem, context: FailureContext(model: ""))
            return .failure(Problem(what: failure.error, remedy: "Check that the server runs and that base_url is right."))
        }
    }

    private static func problem(status: Int, _ provider: Provider) -> Problem {
        switch status {
        case 401, 403: Problem(what: "it rejects the API key (\(status))", remedy: "Set a valid key for \(provider.name).")
        case 404: Problem(what: "it has no model list at that address (404)", remedy: "Check base_url; it often ends in /v1.")
        case 429: Problem(what: "it asks to slow down (429)", remedy: "Try again later.")
        default: Problem(what: "it answered with status \(status)", remedy: "Look at the server's own log.")
        }
    }
}
