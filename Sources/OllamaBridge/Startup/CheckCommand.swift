import ArgumentParser
import Fetch
import Foundation
import Translate

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Ask every upstream in models.json for its models, and say what works and what to do about the rest.",
        discussion: "Exits with 1 if anything does not work.")

    @Option(help: "The catalogue of models (default: models.json in the working directory).")
    var models: String?

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
            print("✗ \(provider.name) at \(provider.baseURL): \(problem.what). \(problem.remedy)")
            return false
        case .success(let listed):
            let ids = Set(listed.map(\.id)).union(listed.map { $0.id.replacing("models/", with: "") })
            let missing = models.filter { !ids.contains($0.upstreamID) }
            print("✓ \(provider.name) at \(provider.baseURL): the key works, \(listed.count) models")
            for model in missing {
                print("  ✗ \(model.listedName): the upstream does not list \"\(model.upstreamID)\". Correct \"model\" of that entry in models.json.")
            }
            return missing.isEmpty
        }
    }
}
