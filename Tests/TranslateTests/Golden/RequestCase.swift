import TestSupport
import Testing
import Translate

/// One folder of `fixtures/chat`, as far as it concerns the way to the upstream.
struct RequestCase: CustomTestStringConvertible, Sendable {
    let folder: FixtureFolder
    /// `case.json`; empty when there is none.
    let settings: JSONObject

    var name: String { folder.name }
    var testDescription: String { name }

    /// Every folder that says what should become of its request.
    static let all: [RequestCase] = FixtureFolder.all("chat").compactMap { folder in
        let settings = folder.file("case.json").flatMap { try? JSONParser.parse($0).object } ?? JSONObject()
        let example = RequestCase(folder: folder, settings: settings)
        return example.has("ollama-request.json") && example.isAboutRequests ? example : nil
    }

    private var isAboutRequests: Bool { has("openai-request.json") || has("ollama-failure.json") || settings["work"] != nil }

    func has(_ file: String) -> Bool { folder.file(file) != nil }
    func bytes(_ file: String) throws -> [UInt8] { try #require(folder.file(file), "\(name) has no \(file)") }
    func json(_ file: String) throws -> JSONValue { try JSONParser.parse(try bytes(file)) }

    var endpoint: String { settings["endpoint"]?.string ?? "/api/chat" }
    var expectedPath: String { settings["upstream_path"]?.string ?? (endpoint == "/api/embed" ? "/embeddings" : "/chat/completions") }

    /// A catalog with one model under the name the request uses.
    ///
    /// `case.json` may give `dialect` (a name or an object; `openai` if absent) and `model`, an entry as in models.json.
    func catalog(model name: String) throws -> ModelCatalog {
        var entry: JSONObject = ["provider": "upstream", "model": "upstream-model", "vision": true]
        for member in settings["model"]?.object?.members ?? [] { entry[member.key] = member.value }
        let provider: JSONObject = ["base_url": "http://upstream.test/v1", "dialect": settings["dialect"] ?? "openai"]
        var file: JSONObject = [
            "providers": ["upstream": .object(provider)],
            "models": ["captioner": ["provider": "upstream", "vision": true]],
        ]
        var models = file["models"]?.object ?? JSONObject()
        if !name.isEmpty { models[name] = .object(entry) }
        file["models"] = .object(models)
        return try ModelCatalog.parse(JSONWriter.bytes(.object(file)), file: "case.json", environment: [:])
    }
}
