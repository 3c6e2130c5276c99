/// Log probabilities of tokens in Ollama's shape.
enum Logprobs {
    /// - Parameters:
    ///   - value: A choice's `logprobs`: the chat form with `content`, or the older one with `tokens` and `token_logprobs`.
    ///   - top: How many alternatives the client asked for; at 0 the key `top_logprobs` is absent.
    static func entries(_ value: JSONValue?, top: Int) -> [JSONValue] {
        guard let object = value?.object else { return [] }
        let tokens = (object["content"]?.array ?? []) + (object["refusal"]?.array ?? [])
        if tokens.isEmpty, object["tokens"] != nil { return legacy(object, top: top) }
        return tokens.compactMap { token in
            guard var entry = token.object.flatMap(entry) else { return nil }
            if top > 0 {
                let alternatives = (token.object?["top_logprobs"]?.array ?? []).prefix(top)
                entry["top_logprobs"] = .array(alternatives.compactMap { $0.object.flatMap(Self.entry).map(JSONValue.object) })
            }
            return .object(entry)
        }
    }

    private static func entry(_ token: JSONObject) -> JSONObject? {
        guard let text = token["token"]?.string, let logprob = token["logprob"]?.number else { return nil }
        let bytes = token["bytes"]?.array?.filter { $0.number?.integer.map { 0...255 ~= $0 } ?? false }
        return ["token": .text(text), "logprob": .number(logprob), "bytes": .array(bytes ?? Self.bytes(of: text))]
    }

    private static func bytes(of text: String) -> [JSONValue] { text.utf8.map { .integer(Int($0)) } }

    private static func legacy(_ object: JSONObject, top: Int) -> [JSONValue] {
        let logprobs = object["token_logprobs"]?.array ?? []
        let alternatives = object["top_logprobs"]?.array ?? []
        return zip(object["tokens"]?.array ?? [], logprobs).enumerated().compactMap { index, pair in
            guard let text = pair.0.string, let logprob = pair.1.number else { return nil }
            var entry: JSONObject = ["token": .text(text), "logprob": .number(logprob), "bytes": .array(bytes(of: text))]
            if top > 0 {
                let members = alternatives.indices.contains(index) ? alternatives[index].object?.members ?? [] : []
                entry["top_logprobs"] = .array(
                    members.prefix(top).map { ["token": .text($0.key), "logprob": $0.value, "bytes": .array(bytes(of: $0.key))] })
            }
            return .object(entry)
        }
    }
}
