import Foundation
import Testing
import Translate

@Suite struct ModelCatalogTests {
    static func catalog(_ text: String, environment: [String: String] = [:]) throws(CatalogError) -> ModelCatalog {
        try ModelCatalog.parse(Array(text.utf8), file: "models.json", environment: environment)
    }

    @Test func `keys print redacted, wherever they end up`() throws {
        let catalog = try Self.catalog(
            #"{"providers":{"p":{"base_url":"http://p.test","api_key":"sk-secret-1","headers":{"X-Key":"secret-2"}}},"models":{"a":{"provider":"p"}}}"#
        )
        var dumped = ""
        dump(catalog, to: &dumped)
        let model = try #require(catalog.resolve("a"))
        for text in [
            dumped, "\(catalog)", "\(model)", String(reflecting: model), "\(Secret("secret-3"))", String(reflecting: Secret("secret-3")),
        ] {
            #expect(!text.contains("secret"))
        }
        #expect(model.provider.requestHeaders.first?.value.value == "Bearer sk-secret-1")
    }

    @Test(arguments: [
        ("", ModelRoute.chat, 400, "model is required"), ("", .show, 400, "model is required"), ("", .embeddings, 400, "model is required"),
        ("", .generate, 404, "model '' not found"), ("", .embed, 404, "model '' not found"),
        ("Foo", .chat, 404, "model 'Foo' not found"), ("Foo", .generate, 404, "model 'Foo' not found"),
        ("Foo", .delete, 404, "model 'Foo' not found"), ("Foo", .show, 404, "model 'Foo:latest' not found"),
        ("Foo", .embed, 404, "model \"Foo\" not found, try pulling it first"),
        ("Foo", .embeddings, 404, "model \"Foo\" not found, try pulling it first"),
        ("Foo", .copySource, 404, "model \"Foo\" not found"), ("Foo", .pull, 500, "pull model manifest: file does not exist"),
        ("a b", .chat, 400, "invalid model name"), ("a b", .generate, 400, "invalid model name"), ("a b", .show, 400, "invalid model name"),
        ("a b", .embed, 400, "invalid model name"), ("a b", .pull, 400, "invalid model name"),
        ("a b", .delete, 400, "name \"a b\" is invalid"), ("a b", .copySource, 400, "source \"a b\" is invalid"),
        ("x:local:cloud", .chat, 400, "use either :local or :cloud, not both: \"x:local:cloud\""),
        ("m:7b-cloud:LOCAL", .show, 400, "use either :local or :cloud, not both: \"m:7b-cloud:LOCAL\""),
        ("m:local:local", .pull, 400, "use either :local or :cloud, not both: \"m:local:local\""),
        ("Foo:local", .chat, 404, "model 'Foo:local' not found"),
        ("gpt-oss:120b-cloud", .chat, 403, "ollama cloud is disabled: remote model is unavailable"),
        ("m:cloud", .embed, 403, "ollama cloud is disabled: remote model is unavailable"),
        ("m:cloud", .show, 403, "ollama cloud is disabled: remote model details are unavailable"),
        ("m:cloud", .delete, 404, "model 'm:cloud' not found"), ("a b:cloud", .chat, 400, "invalid model name"),
    ])
    func `each route has its own words for a name it cannot use`(name: String, route: ModelRoute, status: Int, text: String) throws {
        let catalog = try Self.catalog(#"{"models":{"m":{"provider":"demo"}}}"#)
        let failure = #expect(throws: OllamaFailure.self) { try catalog.require(name, for: route) }
        #expect(failure?.status == status && failure?.error == text)
    }

    @Test func `a name may ask for the model here, which it is`() throws {
        let catalog = try Self.catalog(
            #"{"models":{"m":{"provider":"demo"},"m:7b":{"provider":"demo","model":"seven"},"n:local":{"provider":"demo","model":"own"},"v/*":{"provider":"demo"}}}"#
        )
        #expect(catalog.resolve("M:LOCAL")?.listedName == "m:latest")
        #expect(catalog.resolve("m:7b:local")?.upstreamID == "seven")
        #expect(catalog.resolve("m:latest:local")?.listedName == "m:latest")
        #expect(catalog.resolve("n:local")?.upstreamID == "own", "a listed name means itself")
        #expect(catalog.resolve("v/x:local")?.upstreamID == "v/x")
        #expect(catalog.resolve("v/x:local:cloud") == nil && catalog.resolve("m:cloud") == nil)
    }

    @Test func `Ollama's registry in front of a name says nothing`() throws {
        let catalog = try Self.catalog(#"{"models":{"m":{"provider":"demo"},"v/m":{"provider":"demo"},"library/own":{"provider":"demo"}}}"#)
        for name in ["library/m", "registry.ollama.ai/library/m:latest", "Registry.Ollama.AI/library/M"] {
            #expect(catalog.resolve(name)?.listedName == "m:latest", "\(name)")
        }
        #expect(catalog.resolve("registry.ollama.ai/v/m")?.listedName == "v/m:latest")
        #expect(catalog.resolve("library/own")?.listedName == "library/own:latest")
        #expect(catalog.resolve("library/n") == nil && catalog.resolve("registry.ollama.ai/") == nil)
    }

    @Test(arguments: ["8192", "0", "", "x"])
    func `a context length in the environment is advertised for all`(value: String) throws {
        let bytes = Array(#"{"models":{"m":{"provider":"demo","context_length":5},"n":{"provider":"demo"}}}"#.utf8)
        let catalog = try ModelCatalog.parse(bytes, file: "f", environment: ["OLLAMA_CONTEXT_LENGTH": value])
        #expect(["m", "n"].map { catalog.resolve($0)?.contextLength } == (value == "8192" ? [8192, 8192] : [5, 131_072]))
    }

    @Test func `a provider without its key says so before anything is sent`() throws {
        let catalog = try Self.catalog(#"{"gpt-4o":{"provider":"openai","model":"gpt-4o"}}"#)
        #expect(catalog.listed().isEmpty)
        let failure = #expect(throws: OllamaFailure.self) { try catalog.require("gpt-4o", for: .chat) }
        #expect(failure?.status == 502 && failure?.detail?.contains("OPENAI_API_KEY") == true)
        #expect(try catalog.require("gpt-4o", for: .show).upstreamID == "gpt-4o")
    }

    @Test func `the demo learns its address when it runs`() throws {
        var catalog = try Self.catalog(#"{"models":{"demo":{"provider":"demo","vision":true}}}"#)
        catalog.setBaseURL("http://127.0.0.1:5555/v1", ofProvider: "demo")
        #expect(catalog.resolve("demo")?.provider.baseURL == "http://127.0.0.1:5555/v1")
    }

    @Test(arguments: [
        ("true", AnswerSettings.ThinkTags.split), ("false", .none), (#""opened""#, .splitOpened),
    ])
    func `tags around reasoning are the upstream's, the model's or its template's`(value: String, tags: AnswerSettings.ThinkTags) throws {
        let catalog = try Self.catalog(#"{"models":{"a":{"provider":"lmstudio","dialect":{"base":"lmstudio","think_tags":\#(value)}}}}"#)
        #expect(catalog.resolve("a")?.dialect.thinkTags == tags)
    }

    @Test func `an upstream's own list fills in what the file leaves open`() throws {
        var catalog = try Self.catalog(
            #"{"models":{"a":{"provider":"vllm"},"b":{"provider":"vllm","context_length":5},"v/*":{"provider":"vllm"}}}"#)
        #expect(catalog.wantsDiscovery(ofProvider: "vllm"))
        let list = #"""
            {"object":"list","data":[{"id":"a","max_model_len":4096,"architecture":{"input_modalities":["text","image"]}},{"id":"b","max_model_len":9},
            {"id":"v/x","context_length":77,"architecture":{"input_modalities":["image"]},"supported_parameters":["tools","reasoning"]},
            {"id":"v/text-embed"},{"id":"v/whisper-1"},{"id":"other/y"}]}
            """#
        let json = try JSONParser.parse(Array(list.utf8))
        catalog.setDiscovered(try #require(DiscoveredModel.parse(json)), ofProvider: "vllm")
        #expect(catalog.resolve("a")?.contextLength == 4096)
        #expect(catalog.resolve("a")?.capabilities.vision == false, "an entry is the only word on its model's sight")
        #expect(catalog.resolve("b")?.contextLength == 5)
        #expect(catalog.listed().map(\.listedName) == ["a:latest", "b:latest", "v/x:latest", "v/text-embed:latest"])
        let found = try #require(catalog.resolve("V/X"))
        #expect(found.upstreamID == "v/x" && found.contextLength == 77 && found.capabilities.vision && found.capabilities.thinking)
        #expect(catalog.resolve("v/text-embed")?.capabilities.embedding == true)
        #expect(catalog.resolve("v/text-embed")?.capabilities.completion == false)
        catalog.setDiscovered([], ofProvider: "vllm")
        #expect(catalog.listed().map(\.listedName) == ["a:latest", "b:latest"])
    }

    @Test(arguments: [
        (#"{"data":[{"id":"m","capabilities":{"vision":true,"function_calling":false},"max_context_length":8}]}"#, true, false, 8),
        (#"{"data":[{"id":"m","type":"vlm","loaded_context_length":16,"capabilities":["tool_use"]}]}"#, true, true, 16),
        (
            #"{"models":[{"name":"m","capabilities":["completion","multimodal"]}],"data":[{"id":"m","meta":{"n_ctx_train":32}}]}"#, nil,
            nil, 32
        ),
        (#"[{"id":"m","context_window":64}]"#, nil, nil, 64),
    ])
    func `lists come in many shapes`(text: String, vision: Bool?, tools: Bool?, context: Int) throws {
        let json = try JSONParser.parse(Array(text.utf8))
        let models = try #require(DiscoveredModel.parse(json))
        #expect(models.count == 1 && models[0].id == "m" && models[0].contextLength == context)
        #expect(models[0].vision == vision && models[0].tools == tools)
    }

    @Test func `Gemini's ids lose the resource kind, and other JSON is no list`() throws {
        #expect(DiscoveredModel.parse(["data": [["id": "models/gemini-2.5-flash"]]])?.first?.id == "gemini-2.5-flash")
        for json: JSONValue in [.null, 5, [:], ["data": 1], ["data": [["x": 1], 5]]] {
            #expect(DiscoveredModel.parse(json)?.isEmpty != false)
        }
    }

    @Test func `the shipped file is good`() throws {
        let url = URL(filePath: #filePath).appending(path: "../../../../models.json").standardized
        let bytes = [UInt8](try Data(contentsOf: url))
        let keys = ["OPENAI_API_KEY": "a", "GEMINI_API_KEY": "b", "OPENROUTER_API_KEY": "c"]
        let catalog = try ModelCatalog.parse(bytes, file: "models.json", environment: keys)
        #expect(catalog.warnings.isEmpty && catalog.listed().count == catalog.models.count)
        #expect(Set(catalog.providers.map(\.name)) == ["demo", "openai", "google", "openrouter"])
        for name in ["gpt-4o", "gpt-4o-mini", "gemini-2.5-flash", "gemini-2.5-flash-lite", "demo"] {
            #expect(catalog.resolve(name)?.capabilities.vision == true)
        }
        #expect(try ModelCatalog.parse(bytes, file: "models.json", environment: [:]).listed().map(\.listedName) == ["demo:latest"])
    }

    @Test func `a file cut off anywhere is an error or a catalog, never a trap`() throws {
        let url = URL(filePath: #filePath).appending(path: "../../../../models.json").standardized
        let bytes = [UInt8](try Data(contentsOf: url)).prefix(600)
        for end in 0..<bytes.count {
            #expect(throws: CatalogError.self) { try ModelCatalog.parse(Array(bytes[..<end]), file: "f", environment: [:]) }
        }
    }
}
