import TestSupport
import Testing

@testable import Translate

@Suite struct OpenAIStreamRewriterTests {
    @Test(arguments: [
        (
            #"{"object":"chat.completion","model":"x","choices":[{"index":0,"message":{"content":"a","tool_calls":[{"id":"c"}]},"finish_reason":"stop"}]}"#,
            #"data: {"object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"a","tool_calls":[{"id":"c","index":0}]},"finish_reason":"stop"}]}"#
                + "\n\ndata: [DONE]\n\n", false
        ),
        (
            #"{"error":{"message":"no"}}"#,
            #"data: {"error":{"message":"no","type":"api_error","param":null,"code":null}}"# + "\n\n", false
        ),
        (
            #"{"choices":[{"delta":{"content":"a"}}]}"# + "\n" + #"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
            #"data: {"choices":[{"delta":{"content":"a"}}]}"# + "\n\n" + #"data: {"choices":[{"delta":{},"finish_reason":"stop"}]}"#
                + "\n\ndata: [DONE]\n\n", false
        ),
        ("data: : wait\n\n", "\n", true), ("", "", true), ("data: [DONE]\n\n", "data: [DONE]\n\n", true),
        (": wait\n\n", ": wait\n\n", true),
        (
            #"data: {"choices":[{"delta":{}}]}"# + "\n\ndata: [DONE]\n\n", #"data: {"choices":[{"delta":{}}]}"# + "\n\ndata: [DONE]\n\n",
            false
        ),
    ])
    func `who asked for a stream gets one`(answer: String, events: String, isEmpty: Bool) throws {
        var rewriter = OpenAIStreamRewriter(model: "m", asEvents: true, mirrorsReasoning: false)
        var output: [UInt8] = []
        try rewriter.push(Array(answer.utf8), into: &output)
        #expect(rewriter.isEventStream == !answer.isEmpty)
        try rewriter.finish(into: &output)
        #expect(String(decoding: output, as: UTF8.self) == events)
        #expect(rewriter.isEmpty == isEmpty)
    }

    static func rewrite(_ pieces: [ArraySlice<UInt8>], type: String? = nil, mirrors: Bool = true) throws -> String {
        var failures = FailureContext(model: "m")
        failures.secrets = ["secret-of-the-upstream"]
        var rewriter = OpenAIStreamRewriter(model: #"my "model""#, mirrorsReasoning: mirrors, failures: failures)
        try rewriter.begin(contentType: type)
        var output: [UInt8] = []
        do throws(OllamaFailure) {
            for piece in pieces { try rewriter.push(Array(piece), into: &output) }
            try rewriter.finish(into: &output)
        } catch {
            output += OpenAIFailure(error).event
        }
        return String(decoding: output, as: UTF8.self)
    }

    static func rewrite(_ text: String, type: String? = nil, mirrors: Bool = true) throws -> String {
        try rewrite([Array(text.utf8)[...]], type: type, mirrors: mirrors)
    }

    @Test func `what is none, cut or compressed is no answer`() throws {
        func failure(_ answer: [UInt8]) -> OllamaFailure? {
            var rewriter = OpenAIStreamRewriter(model: "m", asEvents: true)
            var output: [UInt8] = []
            do {
                try rewriter.push(answer, into: &output)
                try rewriter.finish(into: &output)
                return rewriter.isForeign ? FailureMapping.unreadable : nil
            } catch {
                return error
            }
        }
        #expect(failure([0x1F, 0x8B, 8]) == FailureMapping.compressed)
        #expect(failure(Array(#"{"choices":[{"delta":{"content":"a"}}]}{"choices":[{"delta""#.utf8)) == FailureMapping.cutOff)
        #expect(failure(Array(#"{"choices":[{"delta":{}}]}{"choices":[{"delta":{}}]}"#.utf8)) == FailureMapping.cutOff)
        #expect(failure(Array(#"data: {"choices":[{"delta":{},"finish_reason":""}]}"#.utf8)) == FailureMapping.cutOff)
        #expect(failure(Array("Service busy".utf8)) == FailureMapping.unreadable)
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

    @Test(arguments: ["\n", "\r\n", "\r"])
    func `an event's JSON may take several lines`(end: String) throws {
        let lines = [
            ": ping", "event: chunk", #"data: {"choices":[{"delta":{"content":"a"}}],"#, ": pong", #"data:"model":"up","#, "id: 7",
            #"data: "x":1}"#, "",
            #"data:{"model":"up""#, "data: }", "", "data: [DONE]", "", "",
        ]
        let expected =
            ": ping\nevent: chunk\n: pong\nid: 7\ndata: {\"choices\":[{\"delta\":{\"content\":\"a\"}}],\ndata: \"model\":\"my \\\"model\\\"\",\ndata: \"x\":1}\n\n"
            + "data: {\"model\":\"my \\\"model\\\"\"\ndata: }\n\ndata: [DONE]\n\n"
        let bytes = Array(lines.joined(separator: end).utf8)
        #expect(try Self.rewrite([bytes[...]]) == expected)
        #expect(try Self.rewrite(bytes.indices.map { bytes[$0...$0] }) == expected)
    }

    @Test func `an event of several lines that is not whole is left out`() throws {
        let text = try Self.rewrite("data: {\"choices\":[{\"delta\":{}}]}\n\ndata: {\"choices\":[\ndata: {\"delta\":")
        #expect(text.hasPrefix("data: {\"choices\":[{\"delta\":{}}]}\n\ndata: {\"error\":"))
        #expect(try Self.rewrite("data: {\"model\":\ndata: \"up\"}") == "data: {\"model\":\ndata: \"my \\\"model\\\"\"}\n")
    }

    @Test(arguments: [
        #"data: {"error":{"message":"Bad key sk-abcdefghijkl here","type":"invalid_request_error","code":"bad","param":"p"}}"#,
        #"data:{"id":"1","choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}],"error":{"code":400,"message":"secret-of-the-upstream"}}"#,
        #"data: {"choices":[{"index":0,"error":{"message":"secret-of-the-upstream"}}]}"#,
        #"{"error":{"message":"Bad key sk-abcdefghijkl here"}}"#,
        "event: error\ndata: {\"message\":\"Bad key sk-abcdefghijkl here\"}",
        "event: error\ndata: Bad key sk-abcdefghijkl here",
        "data: {\"error\":\ndata: {\"message\":\"Bad key sk-abcdefghijkl here\"}}",
        #"data: {"detail":"Bad key sk-abcdefghijkl here"}"#,
    ])
    func `an error in the stream loses its keys and takes OpenAI's shape`(event: String) throws {
        let text = try Self.rewrite("data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n" + event + "\n\n")
        #expect(!text.contains("abcdefghijkl") && !text.contains("secret-of"))
        #expect(text.contains("[redacted]"))
        let last = try #require(text.split(separator: "\n").last)
        let error = try #require(try JSONParser.parse(Array(last.utf8.drop { $0 != UInt8(ascii: "{") })).object?["error"]?.object)
        #expect(Set(error.members.map(\.key)) == ["message", "type", "param", "code"])
        if event.contains("\"param\"") { #expect(error["param"] == "p" && error["code"] == "bad") }
        #expect(text.hasSuffix("\n\n"))
    }

    @Test func `an error as the whole body loses its keys too`() throws {
        var rewriter = OpenAIStreamRewriter(model: "m")
        var output: [UInt8] = []
        try rewriter.push(Array(#"{"error":{"message":"slow down, sk-abcdefghijkl","code":429}}"#.utf8), into: &output)
        try rewriter.finish(into: &output)
        #expect(rewriter.failure?.status == 429)
        #expect(
            String(decoding: output, as: UTF8.self)
                == #"{"error":{"message":"slow down, [redacted]","type":"api_error","param":null,"code":null}}"#)
    }

    @Test func `a web page is no answer`() {
        var rewriter = OpenAIStreamRewriter(model: "m")
        let failure = #expect(throws: OllamaFailure.self) { try rewriter.begin(contentType: "text/html; charset=utf-8") }
        #expect(failure?.status == 502)
    }

    @Test func `what is neither goes on as it is`() throws {
        #expect(try Self.rewrite("RIFF\u{0}\r\n{", type: "audio/wav") == "RIFF\u{0}\r\n{")
        #expect(try Self.rewrite("data", type: "text/plain") == "data")
    }

    @Test(arguments: [
        ("", true), ("data: [DONE]\n\n", false), (#"data: {"choices":[{"finish_reason":"stop"}]}"# + "\n\n", false),
        (#"data: {"error":{"message":"x"}}"# + "\n\n", false),
        (
            "data: {\"choices\":[\ndata: {\"finish_reason\":\"stop\"}]}\n\n", false
        ), (#"data: {"choices":[{"fini"#, true),
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
        // A web page and a compressed answer are refused at once.
        guard reply.contentType?.contains("html") != true, reply.upstream.first != 0x1F else { return }
        let whole = try Self.rewrite([reply.upstream[...]], type: reply.contentType)
        let bytewise = try Self.rewrite(reply.upstream.indices.map { reply.upstream[$0...$0] }, type: reply.contentType)
        #expect(whole == bytewise)
        var again = reply
        again.upstream = Array(try Self.rewrite([reply.upstream[...]], type: reply.contentType, mirrors: false).utf8)
        // OpenAI's shape always has a type, which then stands in for a code.
        #expect(again.run(pieces: [again.upstream[...]]).text.replacing(#","code":"api_error""#, with: "") == reply.expected)
    }
}
