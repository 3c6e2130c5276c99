import Crypto
import Translate

/// Embeddings that mean nothing but are the same for the same text: enough to try a client's indexing.
enum DemoEmbeddings {
    static let dimensions = 32

    static func answer(to body: JSONObject) -> JSONValue {
        let inputs = body["input"]?.array ?? body["input"].map { [$0] } ?? []
        let wanted = body["dimensions"]?.number?.integer.map { min(max($0, 1), dimensions) } ?? dimensions
        let data: [JSONValue] = inputs.enumerated().map { index, input in
            ["object": "embedding", "index": .integer(index), "embedding": .array(vector(input.string ?? "", wanted))]
        }
        let tokens = max(1, inputs.reduce(0) { $0 + ($1.string?.split(separator: " ").count ?? 1) })
        return [
            "object": "list", "model": "demo", "data": .array(data),
            "usage": ["prompt_tokens": .integer(tokens), "total_tokens": .integer(tokens)],
        ]
    }

    private static func vector(_ text: String, _ count: Int) -> [JSONValue] {
        SHA256.hash(data: Array(text.utf8)).prefix(count).map { .number(JSONNumber((Double($0) - 127.5) / 127.5)) }
    }
}
