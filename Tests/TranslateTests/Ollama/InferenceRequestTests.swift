import Testing
import Translate

@Suite struct InferenceRequestTests {
    static func chat(roles: String) throws -> InferenceRequest {
        let names: [Character: String] = ["s": "system", "u": "user", "a": "assistant", "t": "tool"]
        let messages = roles.map { #"{"role":"\#(names[$0] ?? "?")","content":"x"}"# }.joined(separator: ",")
        return try InferenceRequest.chat(try RequestBody.parse(Array(#"{"model":"m","messages":[\#(messages)]}"#.utf8)))
    }

    @Test(arguments: [
        ("u", 0), ("su", 0), ("ua", 0), ("uau", 2), ("uauu", 2), ("uaua", 2), ("uat", 2), ("uata", 2), ("uatatu", 4), ("", 0), ("a", 0),
        ("aa", 0),
    ])
    func `the newest turn begins behind the last assistant message that was answered`(roles: String, start: Int) throws {
        #expect(try Self.chat(roles: roles).newestTurnStart == start)
    }

    @Test func `positions are the client's on chat and none on generate`() throws {
        #expect(try Self.chat(roles: "uau").clientPosition(ofMessage: 2) == 2)
        let generate = try InferenceRequest.generate(["model": "m", "prompt": "x", "system": "s"])
        #expect(generate.clientPosition(ofMessage: 1) == nil)
    }

    @Test func `nothing a client sends makes decoding trap`() {
        let pieces = [
            "null", "1e400", "-1", "\"\"", "\"x\"", "[]", "{}", "[[]]", "[null]", "[{}]", "{\"function\":1}",
            "[{\"function\":{\"name\":1}}]", "true",
            "99999999999999999999", "[1e400]",
        ]
        let keys = [
            "model", "messages", "tools", "stream", "format", "options", "think", "keep_alive", "logprobs", "top_logprobs", "images",
            "prompt",
            "suffix", "system", "template", "raw", "context", "input", "dimensions", "truncate", "name", "from",
        ]
        for key in keys {
            for piece in pieces {
                guard let json = try? RequestBody.parse(Array(#"{"\#(key)":\#(piece)}"#.utf8)) else { continue }
                _ = try? InferenceRequest.chat(json)
                _ = try? InferenceRequest.generate(json)
                _ = try? EmbedRequest.decode(json, route: .embed)
                _ = try? NamedModelRequest.decode(json)
            }
        }
        for option in ["num_predict", "seed", "temperature", "top_p", "stop", "use_mmap", "num_gpu"] {
            for piece in pieces {
                guard let json = try? RequestBody.parse(Array(#"{"options":{"\#(option)":\#(piece)}}"#.utf8)) else { continue }
                _ = try? InferenceRequest.chat(json)
            }
        }
    }

    @Test func `older clients name the model otherwise`() throws {
        #expect(try NamedModelRequest.decode(["name": "x"]).model == "x")
        #expect(try NamedModelRequest.decode(["model": "y", "name": "x", "verbose": true]).model == "y")
        #expect(try NamedModelRequest.decode(["model": "", "name": "x", "stream": false]) == .decode(["name": "x", "stream": false]))
    }
}
