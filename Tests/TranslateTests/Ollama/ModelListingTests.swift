import Testing
import Translate

@Suite struct ModelListingTests {
    static let digest = String(repeating: "0a", count: 32)

    static func item(_ entry: String = #""vision":true,"thinking":true,"insert":true,"context_length":128000,"parameter_size":"8.0B""#)
        throws -> ModelListing.Item
    {
        let file = #"{"models":{"Gpt-4o":{"provider":"demo",\#(entry)}}}"#
        let model = try #require(try ModelCatalog.parse(Array(file.utf8), file: "f", environment: [:]).resolve("gpt-4o"))
        return ModelListing.Item(model: model, digest: digest, modifiedAt: "2026-01-02T03:04:05.000000Z")
    }

    static func object(_ bytes: [UInt8]) throws -> JSONObject { try #require(try JSONParser.parse(bytes).object) }

    @Test func `tags have every field some client requires`() throws {
        let models = try #require(try Self.object(ModelListing.tags([try Self.item()]))["models"]?.array)
        let model = try #require(models.first?.object)
        #expect(model["name"] == "Gpt-4o:latest" && model["model"] == "Gpt-4o:latest")
        #expect(model["digest"]?.string?.utf8.count == 64)
        #expect(model["size"]?.number?.integer ?? 0 > 0)
        #expect(model["modified_at"] == "2026-01-02T03:04:05.000000Z")
        #expect(model["capabilities"] == ["completion", "tools", "vision", "thinking", "insert"])
        let details = try #require(model["details"]?.object)
        for key in ["parent_model", "format", "family", "parameter_size", "quantization_level"] { #expect(details[key]?.string != nil) }
        #expect(details["families"] == ["gpt", "clip"] && details["format"] == "gguf" && details["context_length"] == 128000)
    }

    @Test func `lists are never null`() {
        #expect(String(decoding: ModelListing.tags([]), as: UTF8.self) == #"{"models":[]}"#)
        #expect(String(decoding: ModelListing.ps([]), as: UTF8.self) == #"{"models":[]}"#)
        #expect(String(decoding: ModelListing.openAIModels([], created: 1), as: UTF8.self) == #"{"object":"list","data":[]}"#)
    }

    @Test func `a card has all strings, an info object and exactly one context length`() throws {
        let card = try Self.object(ModelListing.show(try Self.item(), requestedName: "GPT-4o"))
        for key in ["license", "modelfile", "parameters", "template", "system", "modified_at"] { #expect(card[key]?.string != nil) }
        #expect(card["parameters"]?.string == "num_ctx                        128000")
        #expect(card["modelfile"]?.string?.contains("num_ctx 128000") == true)
        #expect(card["template"]?.string?.contains(".Tools") == true && card["template"]?.string?.contains(".Suffix") == true)
        let info = try #require(card["model_info"]?.object)
        #expect(info["general.architecture"] == "gpt" && info["general.basename"] == "GPT-4o")
        #expect(info["general.parameter_count"] == 8_000_000_000)
        #expect(info.members.filter { $0.key.contains("context_length") }.map(\.key) == ["gpt.context_length"])
        #expect(info["gpt.vision.block_count"] != nil && card["projector_info"] != nil)
        #expect(card["capabilities"]?.array != nil && card["remote_model"] == nil && card["details"]?.object?["families"] != nil)
    }

    @Test func `a model that does neither says neither`() throws {
        let card = try Self.object(ModelListing.show(try Self.item(#""tools":false"#), requestedName: "x"))
        #expect(card["capabilities"] == ["completion"] && card["projector_info"] == nil)
        #expect(card["template"]?.string?.contains(".Tools") == false && card["template"]?.string?.contains(".Suffix") == false)
        #expect(card["details"]?.object?["families"] == ["gpt"])
        let embedding = try Self.object(ModelListing.show(try Self.item(#""embedding":true"#), requestedName: "x"))
        #expect(embedding["capabilities"] == ["embedding"])
    }

    @Test func `loaded models show their end and the asked context`() throws {
        let running = ModelListing.Running(item: try Self.item(), expiresAt: "2318-01-02T03:04:05.000000Z", numCtx: 4096)
        let model = try #require(try Self.object(ModelListing.ps([running]))["models"]?.array?.first?.object)
        #expect(model["expires_at"] == "2318-01-02T03:04:05.000000Z" && model["context_length"] == 4096)
        #expect(model["size"] == model["size_vram"] && model["digest"]?.string == Self.digest)
        let plain = ModelListing.Running(item: try Self.item(), expiresAt: "x")
        #expect(try Self.object(ModelListing.ps([plain]))["models"]?.array?.first?.object?["context_length"] == 128000)
    }

    @Test func `the other front's lists`() throws {
        let list = try Self.object(ModelListing.openAIModels([try Self.item()], created: 7))
        let expected: JSONValue = ["id": "Gpt-4o:latest", "object": "model", "created": 7, "owned_by": "library"]
        #expect(list["data"] == [expected])
        #expect(try Self.object(ModelListing.openAIModel(try Self.item(), id: "gpt-4o", created: 7))["id"] == "gpt-4o")
        #expect(String(decoding: ModelListing.version("0.13.5"), as: UTF8.self) == #"{"version":"0.13.5"}"#)
    }

    @Test func `digest seeds differ by name, upstream and abilities`() throws {
        let one = ModelListing.digestSeed(try Self.item().model)
        #expect(one == ModelListing.digestSeed(try Self.item().model))
        #expect(one != ModelListing.digestSeed(try Self.item(#""vision":false"#).model))
        #expect(one != ModelListing.digestSeed(try Self.item(#""model":"other""#).model))
    }
}
