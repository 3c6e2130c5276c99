import Testing

@testable import Translate

@Suite struct EmbeddingsMappingTests {
    static func model(batch: Int) throws -> ResolvedModel {
        let file =
            #"{"providers":{"u":{"base_url":"http://u.test/v1","dialect":{"embedding_batch":\#(batch)}}},"models":{"m":{"provider":"u"}}}"#
        return try #require(try ModelCatalog.parse(Array(file.utf8), file: "f", environment: [:]).resolve("m"))
    }

    @Test(arguments: [([100], [100, 50]), ([2048, 100, 64], [64, 64, 22]), ([150], [150]), ([2048], [150])])
    func `every upstream that may be asked can take every batch`(sizes: [Int], expected: [Int]) throws {
        let texts = (0..<150).map { JSONText("\($0)") }
        let request = EmbedRequest(model: "m", inputs: texts, truncate: true, route: .embed)
        let batches = EmbeddingsMapping.batches(request, members: try sizes.map(Self.model))
        #expect(batches.map(\.count) == expected)
        #expect(Array(batches.joined()) == texts)
    }
}
