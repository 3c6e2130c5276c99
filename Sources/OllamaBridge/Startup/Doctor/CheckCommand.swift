import ArgumentParser
import Fetch
import Foundation
import Translate

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Ask every upstream in models.json for its models, and say what works and what to do about the rest.",
        discussion: "Where a bridge is running, it is also asked what well-known clients ask. Exits with 1 if anything does not work.")

    @Option(help: "The catalogue of models (default: models.json in the working directory).")
    var models: String?

    @Option(help: "A running bridge to try well-known clients' probes on (default: where `serve` would listen).")
    var url: String?

    @Option(help: "The client key to try them with (default: the first of OLLAMA_BRIDGE_API_KEYS).")
    var apiKey: String?

    func run() async throws {
        let environment = EnvironmentFile.environment()
        let file: CatalogFile
        let bridge: String
        do {
            file = try CatalogFile.read(named: CatalogFile.name(models, environment), environment: environment)
            bridge = try url ?? Self.ownURL(environment)
        } catch let error as StartupError {
            print("✗ \(error)")
            throw ExitCode(1)
        }
        print("✓ \(file.path ?? "built-in catalogue"): \(file.catalog.models.count) models, \(file.catalog.providers.count) providers")
        let fetcher = Fetcher(FetcherConfiguration(userAgent: "OllamaBridge/\(Version.bridge)"))
        var isSound = true
        for provider in file.catalog.providers where provider.name != "demo" {
            let wanted = file.catalog.models.flatMap { model in
                let own = [Wanted(model: model.listedName, upstreamID: model.upstreamID, provider: model.provider.name)]
                return model.routes.isEmpty
                    ? own
                    : model.routes.map { Wanted(model: model.listedName, upstreamID: $0.upstreamID, provider: $0.provider.name) }
            }
            isSound = await check(provider, wanted.filter { $0.provider == provider.name }, fetcher) && isSound
        }
        let key = apiKey ?? Settings.clientKeys(in: environment).first.map(ClientKeys.key)
        isSound = await checkClients(bridge, key, fetcher) && isSound
        await fetcher.shutdown()
        if !isSound { throw ExitCode(1) }
    }

    /// Where `serve` would listen.
    private static func ownURL(_ environment: [String: String]) throws -> String {
        let address = try ListenAddress(environment: environment)
        let scheme = environment["OLLAMA_BRIDGE_TLS_CERTIFICATE"] == nil ? "http" : "https"
        return "\(scheme)://\(address.authority(port: address.port))"
    }

    /// A model that an upstream has to have.
    private struct Wanted {
        let model: String
        let upstreamID: String
        let provider: String
    }

    private func check(_ provider: Provider, _ models: [Wanted], _ fetcher: Fetcher) async -> Bool {
        if let variable = provider.missingKeyVariable {
            print("– \(provider.name): no key, its \(models.count) models are not offered. Set \(variable).")
            return true
        }
        switch await ModelDiscovery.list(provider, fetcher) {
        case .failure(let problem):
            print("✗ \(provider.name) at \(StatusEndpoints.withoutSecrets(provider.baseURL)): \(problem.what). \(problem.remedy)")
            return false
        case .success(let listed):
            let ids = Set(listed.map(\.id)).union(listed.map { $0.id.replacing("models/", with: "") })
            let missing = models.filter { !ids.contains($0.upstreamID) }
            print("✓ \(provider.name) at \(StatusEndpoints.withoutSecrets(provider.baseURL)): the key works, \(listed.count) models")
            for model in missing {
                print(
                    "  ✗ \(model.model): the upstream does not list \"\(model.upstreamID)\". Correct \"model\" of that entry in models.json."
                )
            }
            return missing.isEmpty
        }
    }

    private func checkClients(_ url: String, _ key: String?, _ fetcher: Fetcher) async -> Bool {
        guard let answers = await ProbeAnswers.gather(from: url, key: key, fetcher) else {
            print("– no bridge is running at \(url), so clients' probes were not tried")
            return self.url == nil
        }
        if answers.wantsKey {
            let wanted = key == nil ? "a client key" : "another client key"
            print("✗ the bridge at \(url) wants \(wanted): give it with --api-key or OLLAMA_BRIDGE_API_KEYS.")
            return false
        }
        var isSound = true
        for probe in ClientProbe.all {
            let problems = probe.problems(answers)
            print(
                problems.isEmpty
                    ? "✓ \(probe.client) finds what it needs at \(url)" : "✗ \(probe.client): \(problems.joined(separator: "; "))")
            isSound = isSound && problems.isEmpty
        }
        return isSound
    }
}
