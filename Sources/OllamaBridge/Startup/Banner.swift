import Foundation
import Translate

/// What the start prints: where it listens, which models it has and from where, and one line to try.
enum Banner {
    static func print(settings: Settings, port: Int, file: CatalogFile, catalog: ModelCatalog) {
        let url = "\(settings.tls == nil ? "http" : "https")://\(settings.address.authority(port: port))"
        var lines = ["OllamaBridge \(Version.bridge) listening on \(url)"]
        let listed = catalog.listed()
        lines.append("Models (\(file.path ?? "built in; put a models.json here for more")):")
        let width = listed.map(\.listedName.count).max() ?? 0
        for model in listed {
            let name = model.listedName.padding(toLength: width + 2, withPad: " ", startingAt: 0)
            lines.append("  \(name)\(model.provider.name)\(model.capabilities.vision ? ", sees images" : "")")
        }
        let missing = Set(catalog.providers.compactMap(\.missingKeyVariable)).sorted()
        if !missing.isEmpty { lines.append("More models appear once a key is set: \(missing.joined(separator: ", ")).") }
        if !settings.wantsKeys, !settings.address.isLoopback {
            lines.append("WARNING: no client keys are set; whoever reaches this address spends your API keys.")
        }
        let model = listed.first?.listedName ?? "demo"
        let curl = settings.tls.map { "curl --cacert \($0.certificate)" } ?? "curl"
        lines.append("Try: \(curl) \(url)/api/generate -d '{\"model\":\"\(model)\",\"prompt\":\"Hello\"}'")
        // Where nobody listens, there is nobody to tell.
        try? FileHandle.standardOutput.write(contentsOf: Data((lines.joined(separator: "\n") + "\n").utf8))
    }
}
