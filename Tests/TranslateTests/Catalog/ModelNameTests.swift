import Testing

@testable import Translate

@Suite struct ModelNameTests {
    @Test(arguments: ["m", "m:tag", "ns/m:latest", "host:8080/ns/m:q4_0", "gpt-4o", "a.b", "_x", "vendor/model:free"])
    func `names Ollama takes`(name: String) { #expect(ModelName.isWellFormed(name)) }

    @Test(arguments: ["", ":", "m:", "/m", "a/b/c/d", "a b", "m@x", "-m", ".m", "m/", "ü", String(repeating: "x", count: 81), "m:a:b/c"])
    func `names it refuses`(name: String) { #expect(!ModelName.isWellFormed(name)) }

    @Test(arguments: [
        ("x", "registry.ollama.ai/library/x:latest"), ("x:1", "registry.ollama.ai/library/x:1"), ("v/x", "registry.ollama.ai/v/x:latest"),
        ("h.io/v/x", "h.io/v/x:latest"),
    ])
    func `the name in full`(name: String, full: String) { #expect(ModelName.registryName(name) == full) }

    @Test(arguments: [
        ("foo", "foo:latest"), ("library/foo", "foo:latest"), ("registry.ollama.ai/library/foo:7b", "foo:7b"), ("v/foo", "v/foo:latest"),
    ])
    func `the short form with its tag`(name: String, short: String) { #expect(ModelName.canonical(name) == short) }

    @Test(arguments: [
        ("gpt-4o", "gpt-4o"), ("accounts/fireworks/models/llama-v3", "models/llama-v3"), ("my model@2", "my-model-2"),
        ("a/b/c/d:e f", "c/d:e-f"),
        ("-x", "mx"),
    ])
    func `ids that are no names get one`(id: String, name: String) {
        let listed = ModelName.listable(id)
        #expect(listed == name)
        #expect(ModelName.isWellFormed(listed))
    }
}
