import Testing

@testable import Translate

@Suite struct EmbeddingsAnswerTests {
    static func embed(_ bodies: [(String, Int)], dimensions: Int? = nil) throws -> String {
        var answer = EmbeddingsAnswer(dimensions: dimensions, failures: FailureContext(model: "m"))
        for (body, inputs) in bodies { try answer.add(Array(body.utf8), inputs: inputs) }
        let body = answer.embedBody(
            model: "m", received: .milliseconds(0), sent: .milliseconds(1), at: .milliseconds(5), inputBytes: 40)
        return String(decoding: body, as: UTF8.self)
    }

    static let ending = #""total_duration":5000000,"load_duration":1000000,"prompt_eval_count""#

    @Test func `vectors are sorted by index and normalised`() throws {
        let body =
            #"{"object":"list","data":[{"object":"embedding","index":1,"embedding":[0,-2.0]},{"index":0,"embedding":[3,4e0]}],"#
            + #""model":"x","usage":{"prompt_tokens":7,"total_tokens":7}}"#
        #expect(try Self.embed([(body, 2)]) == #"{"model":"m","embeddings":[[0.6,0.8],[0.0,-1.0]],\#(Self.ending):7}"#)
    }

    @Test func `batches are joined and their tokens added`() throws {
        let body = #"{"data":[{"embedding":[1],"index":0}],"usage":{"prompt_tokens":3}}"#
        #expect(try Self.embed([(body, 1), (body, 1)]) == #"{"model":"m","embeddings":[[1.0],[1.0]],\#(Self.ending):6}"#)
    }

    @Test func `vectors are cut to the dimensions asked for and normalised after`() throws {
        let body = #"{"data":[{"embedding":[3,4,12],"index":0}]}"#
        #expect(try Self.embed([(body, 1)], dimensions: 2) == #"{"model":"m","embeddings":[[0.6,0.8]],\#(Self.ending):10}"#)
    }

    @Test func `no input gives no vector`() throws {
        #expect(try Self.embed([]) == #"{"model":"m","embeddings":[],\#(Self.ending):10}"#)
    }

    @Test func `a vector of zeros stays one`() throws {
        #expect(try Self.embed([(#"{"data":[{"embedding":[0,0]}]}"#, 1)]).contains("[[0.0,0.0]]"))
    }

    @Test func `the older route gives the first vector as it came`() throws {
        var answer = EmbeddingsAnswer(dimensions: nil, failures: FailureContext(model: "m"))
        #expect(String(decoding: answer.embeddingsBody(), as: UTF8.self) == #"{"embedding":[]}"#)
        try answer.add(Array(#"{"data":[{"embedding":[3,-0.0125,1e-7]}]}"#.utf8), inputs: 1)
        #expect(String(decoding: answer.embeddingsBody(), as: UTF8.self) == #"{"embedding":[3.0,-0.0125,1e-07]}"#)
    }

    @Test func `vectors as base64 are read too`() throws {
        var answer = EmbeddingsAnswer(dimensions: nil, failures: FailureContext(model: "m"))
        try answer.add(
            Array(#"{"data":[{"index":1,"embedding":"AACAPwAAAEA="},{"index":0,"embedding":"AABAQA\u0041AgMAAAAA\/"}]}"#.utf8), inputs: 2)
        #expect(String(decoding: answer.embeddingsBody(), as: UTF8.self) == #"{"embedding":[3.0,-4.0,0.5]}"#)
    }

    @Test(arguments: ["AADAfw==", "AAB=", "AABA QA==", "A", "AAAAAAA"])
    func `text that is no vector is not read`(text: String) {
        let body = #"{"data":[{"embedding":"\#(text)"}]}"#
        let failure = #expect(throws: OllamaFailure.self) { try Self.embed([(body, 1)]) }
        #expect(failure?.error == "model server sent data that cannot be read")
    }

    @Test(arguments: [
        (#"{"data":[{"embedding":[1]}]}"#, 502, "model server sent 1 embeddings for 2 inputs"),
        (#"{"data":[]}"#, 502, "model server sent 0 embeddings for 2 inputs"),
        (#"{"error":{"message":"slow down","code":429}}"#, 429, "slow down"),
        (#"{"data":[{"embedding":[1,"x"]}]}"#, 502, "model server sent data that cannot be read"),
        (#"{"data":[{"embedding":[1e999]}]}"#, 502, "model server sent data that cannot be read"),
        (#"{"data":[{"embedding":[1"#, 502, "model server sent data that cannot be read"),
        ("", 502, "upstream returned an empty response"),
        ("<html>", 502, "model server sent a web page instead of an answer"),
    ])
    func `what is no answer is a failure`(body: String, status: Int, error: String) {
        let failure = #expect(throws: OllamaFailure.self) { try Self.embed([(body, 2)]) }
        #expect(failure?.status == status)
        #expect(failure?.error == error)
    }

    @Test(arguments: [
        "0", "-0.5", "123456789.125", "1e22", "1e-22", "0.000001234", "3.4028235e38", "-1.17549435E-38", "123456789012345678", "0.1e1",
    ])
    func `numbers are read as the standard library reads them`(text: String) {
        var cursor = JSONCursor()
        let bytes = Array(text.utf8)
        let number = cursor.number(bytes.span)
        #expect(number.map { Float($0) } == Float(text))
    }
}
