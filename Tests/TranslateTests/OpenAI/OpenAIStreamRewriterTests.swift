import TestSupport
import Testing

@testable import Translate

@Suite struct OpenAIStreamRewriterTests {
    static func rewrite(_ pieces: [ArraySlice<UInt8>], type: String? = nil, mirrors: Bool = true) throws -> String {
        var rewriter = OpenAIStreamRewriter(model: #"my "model""#, mirrorsReasoning: mirrors)
        rewriter.begin(contentType: type)
        var output: [UInt8] = []
        for piece in pieces { try rewriter.push(Array(piece), into: &output) }
        do throws(OllamaFailure) {
            try rewriter.finish(into: &output)
        } catch {
            output += OpenAIFailure(error).event
        }
        return String(decoding: output, as: UTF8.self)
    }

    static func rewrite(_ text: String, type: String? = nil, mirrors: Bool = true) throws -> String {
        try rewrite([Array(text.utf8)[...]], type: type, mirrors: mirrors)
    }

    @Test(arguments: [
        (#"{"id":"1","model":"up","x":{"model":"in"}}"#, #"{"id":"1","model":"my \"model\"","x":{"model":"in"}}"#),
        (#"{"id":"1"}"#, #"{"id":"1"}"#),
        (#"{"model":null}"#, #"{"model":null}"#),
        (#"{"model":"up","broken""#, #"{"model":"up","broken""#),
        (
            #"{"choices":[{"delta":{"reasoning_content":"r\n","content":""}}],"model":"up"}"#,
            #"{"choices":[{"delta":{"reasoning_content":"r\n","reasoning":"r\n","content":""}}],"model":"my \"model\""}"#
        ),
        (
            #"{"model":"up","choices":[{"message":{"reasoning":"r"}},{"index":1,"message":{"reasoning":"s"}}]}"#,
            #"{"model":"my \"model\"","choices":[{"message":{"reasoning":"r","reasoning_content":"r"}},"#
                + #"{"index":1,"message":{"reasoning":"s","reasoning_content":"s"}}]}"#
        ),
        (
            #"{"choices":[{"delta":{"reasoning":"r","reasoning_content":"r"}}]}"#,
            #"{"choices":[{"delta":{"reasoning":"r","reasoning_content":"r"}}]}"#
        ),
        (
            #"{"choices":[{"delta":{"reasoning":null,"reasoning_content":"r"}}]}"#,
            #"{"choices":[{"delta":{"reasoning":null,"reasoning_content":"r"}}]}"#
        ),
        (#"{"choices":[],"data":[{"model":"in"}]}"#, #"{"choices":[],"data":[{"model":"in"}]}"#),
    ])
    func `a JSON body gets the client's name and both names of reasoning`(body: String, expected: String) throws {
        #expect(try Self.rewrite(body, type: "application/json") == expected)
        #expect(try Self.rewrite("data: \(body)\n\ndata: [DONE]\n\n") == "data: \(expected)\n\ndata: [DONE]\n\n")
    }

    @Test func `comments and other fields go on, line ends become LF`() throws {
        let stream = ": ping\r\n\r\nevent: x\r\ndata:{\"model\":\"up\"}\r\n\r\ndata: [DONE]"
        #expect(try Self.rewrite(stream) == ": ping\n\nevent: x\ndata:{\"model\":\"my \\\"model\\\"\"}\n\ndata: [DONE]")
    }

    @Test func `what is neither goes on as it is`() throws {
        #expect(try Self.rewrite("RIFF\u{0}\r\n{", type: "audio/wav") == "RIFF\u{0}\r\n{")
        #expect(try Self.rewrite("data", type: "text/plain") == "data")
    }

    @Test(arguments: [
        ("", true), ("data: [DONE]\n\n", false), (#"data: {"choices":[{"finish_reason":"stop"}]}"# + "\n\n", false),
        (#"data: {"error":{"message":"x"}}"# + "\n\n", false), (#"data: {"choices":[{"fini"#, true),
    ])
    func `a stream that ends without an end says so`(ending: String, isCut: Bool) throws {
        let text = try Self.rewrite(#"data: {"choices":[{"delta":{"content":"x"},"finish_reason":null}],"error":null}"# + "\n\n" + ending)
        #expect(text.contains("closed the connection before the answer was complete") == isCut)
        #expect(text.hasSuffix("\n\n"))
    }

    @Test func `a whole event goes on at once`() throws {
        var rewriter = OpenAIStreamRewriter(model: "m")
        var output: [UInt8] = []
        try rewriter.push(Array("data: {\"a\":1}\n\nda".utf8), into: &output)
        #expect(String(decoding: output, as: UTF8.self) == "data: {\"a\":1}\n\n")
        #expect(rewriter.isEventStream && !rewriter.sawDone)
        try rewriter.push(Array("ta: [DONE]\n\n".utf8), into: &output)
        #expect(rewriter.sawDone)
    }

    @Test(arguments: GoldenReplyTests.cases)
    func `cuts change nothing, and a stream read again gives the same answer`(reply: ReplyCase) throws {
        let whole = try Self.rewrite([reply.upstream[...]])
        let bytewise = try Self.rewrite(reply.upstream.indices.map { reply.upstream[$0...$0] })
        #expect(whole == bytewise)
        var again = reply
        again.upstream = Array(try Self.rewrite([reply.upstream[...]], mirrors: false).utf8)
        #expect(again.run(pieces: [again.upstream[...]]).text == reply.expected)
    }
}
