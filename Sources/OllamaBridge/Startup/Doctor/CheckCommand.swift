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

    func run() async throws {
        let file: CatalogFile
        do {
            file = try CatalogFile.read(named: models, environment: EnvironmentFile.environment())
        } catch let error as StartupError {
            print("✗ \(error)")
            throw ExitCode(1)
        }
        print("✓ \(file.path ?? "built-in catalogue"): \(file.catalog.models.count) models, \(file.catalog.providers.count) providers")
        let fetcher = Fetcher(FetcherConfiguration(userAgent: "OllamaBridge/\(Version.bridge)"))
        var isSound = true
        for provider in file.catalog.providers where provider.name != "demo" {
            let own = file.catalog.models.filter { $0.provider.name == provider.name }
            isSound = await check(provider, own, fetcher) && isSound
        }
        isSound = await checkClients(fetcher) && isSound
        await fetcher.shutdown()
        if !isSound { throw ExitCode(1) }
    }

    private func check(_ provider: Provider, _ models: [ResolvedModel], _ fetcher: Fetcher) async -> Bool {
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
                    "  ✗ \(model.listedName): the upstream does not list \"\(model.upstreamID)\". Correct \"model\" of that entry in models.json."
                )
            }
            return missing.isEmpty
        }
    }

    private func checkClients(_ fetcher: Fetcher) async -> Bool {
        let environment = EnvironmentFile.environment()
        let address = environment["OLLAMA_HOST"].map(ListenAddress.init(ollamaHost:)) ?? .standard
        let url = url ?? "http://\(address.authority(port: address.port))"
        let key = environment["OLLAMA_BRIDGE_API_KEYS"]?.split(separator: ",").first.map {
            $0.split(separator: "=").last.map(String.init) ?? ""
        }
        guard let answers = await ProbeAnswers.gather(from: url, key: key, fetcher) else {
            print("– no bridge is running at \(url), so clients' probes were not tried")
            return self.url == nil
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
