import Foundation
import TestSupport
import Testing
import Translate

/// `fixtures/catalogs`: good files with what is made of them, broken ones with the sentence an operator reads.
@Suite struct CatalogFixtureTests {
    @Test(arguments: FixtureFolder.all("catalogs"))
    func `the file is read as the folder says`(_ folder: FixtureFolder) throws {
        let description = try #require(folder.file("case.json"))
        let settings = try #require(try JSONParser.parse(description).object)
        var environment: [String: String] = [:]
        for member in settings["environment"]?.object?.members ?? [] { environment[member.key] = member.value.string }
        let bytes = try #require(folder.file("models.json"))
        do {
            let catalog = try ModelCatalog.parse(bytes, file: "models.json", environment: environment)
            let names = settings["resolve"]?.array?.compactMap(\.string) ?? []
            try compare(CatalogSummary.json(catalog, resolving: names), folder, file: "catalog.json")
        } catch let error as CatalogError {
            try compare(["message": .text(error.description)], folder, file: "error.json")
        }
    }

    private func compare(_ found: JSONValue, _ folder: FixtureFolder, file: String) throws {
        if ProcessInfo.processInfo.environment["UPDATE_FIXTURES"] != nil {
            let fixtures = Fixtures.folder.appending(path: "catalogs")
            try Data(PrettyJSON.bytes(found)).write(to: fixtures.appending(path: folder.name).appending(path: file))
            return
        }
        let bytes = try #require(folder.file(file), "no \(file); found \(JSONDifference.text(found))")
        let lines = JSONDifference.lines(expected: try JSONParser.parse(bytes), actual: found)
        #expect(lines.isEmpty, "\(folder.name)/\(file):\n\(lines.joined(separator: "\n"))")
    }
}

/// What of a catalog a reader can check by eye.
enum CatalogSummary {
    static func json(_ catalog: ModelCatalog, resolving names: [String]) -> JSONValue {
        var summary: JSONObject = [
            "listed": .array(catalog.listed().map { .text($0.listedName) }),
            "models": .array(catalog.models.map(model)),
            "providers": .array(catalog.providers.map(provider)),
            "warnings": .array(catalog.warnings.map(JSONValue.text)),
        ]
        if !names.isEmpty {
            let found = names.map { name in
                let model = catalog.resolve(name).map { "\($0.provider.name)/\($0.upstreamID) as \($0.listedName)" }
                return JSONObject.Member(key: name, value: model.map(JSONValue.text) ?? .null)
            }
            summary["resolve"] = .object(JSONObject(found))
        }
        return .object(summary)
    }

    private static func model(_ model: ResolvedModel) -> JSONValue {
        let able = model.capabilities
        let words = [
            ("completion", able.completion), ("vision", able.vision), ("tools", able.tools), ("thinking", able.thinking),
            ("embedding", able.embedding), ("insert", able.insert),
        ].filter(\.1).map(\.0).joined(separator: " ")
        var json: JSONObject = [
            "name": .text(model.listedName), "upstream": .text("\(model.provider.name)/\(model.upstreamID)"), "can": .text(words),
            "context": .integer(model.contextLength),
            "dialect": .text(
                "\(model.dialect.name) \(model.dialect.maxTokensField) usage \(model.dialect.streamUsage) off \(model.dialect.effortOff ?? "-")"
            ),
            "images": .text(images(model.images)),
        ]
        if !model.routes.isEmpty {
            json["routes"] = .array(model.routes.map { .text("\($0.provider.name)/\($0.upstreamID) ×\($0.weight) vision \($0.vision)") })
            json["strategy"] = .text(model.strategy.rawValue)
        }
        return .object(json)
    }

    private static func images(_ settings: ImageSettings) -> String {
        var text = "\(settings.maxCount) pictures of \(settings.maxBytes) B, \(settings.maxEdge) px, in \(settings.maxRequestBytes) B,"
        text += " quality \(settings.quality)…\(settings.minQuality), \(settings.background), \(settings.withoutVision)"
        if let crowd = settings.crowd { text += ", over \(crowd.count) pictures \(crowd.maxEdge) px" }
        if let detail = settings.detail { text += ", detail \(detail)" }
        return text
    }

    private static func provider(_ provider: Provider) -> JSONValue {
        var json: JSONObject = ["name": .text(provider.name), "base_url": .text(provider.baseURL)]
        json["headers"] = .array(provider.requestHeaders.map { .text("\($0.name): \($0.value.value)") })
        json["missing_key"] = provider.missingKeyVariable.map(JSONValue.text)
        return .object(json)
    }
}
