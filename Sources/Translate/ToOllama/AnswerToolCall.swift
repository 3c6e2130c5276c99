/// A whole tool call as Ollama's clients read it.
struct AnswerToolCall: Sendable, Equatable {
    var id: String
    var name: String
    /// Always an object.
    var arguments: JSONObject
    /// What the provider wants back with the call. Clients do not see it: some refuse keys they do not know.
    var extraContent: JSONValue?

    /// The element of `tool_calls`, without `type`, as Ollama writes it.
    ///
    /// - Parameter index: The call's position in the answer.
    func json(index: Int) -> JSONValue {
        [
            "id": .text(id),
            "function": ["index": .integer(index), "name": .text(name), "arguments": .object(arguments)],
        ]
    }

    /// An id as Ollama makes them, `call_` and eight of [a-z0-9]: the same for the same seed and position.
    static func madeUpID(seed: UInt64, position: Int) -> String {
        // SplitMix64's mixing: neighbouring seeds and positions give unlike ids.
        var state = seed &+ UInt64(truncatingIfNeeded: position) &* 0x9E37_79B9_7F4A_7C15 &+ 0x9E37_79B9_7F4A_7C15
        state = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        state = (state ^ (state >> 27)) &* 0x94D0_49BB_1331_11EB
        state ^= state >> 31
        var id = Array("call_".utf8)
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)
        for _ in 0..<8 {
            id.append(alphabet[Int(state % 36)])
            state /= 36
        }
        return String(decoding: id, as: UTF8.self)
    }
}
