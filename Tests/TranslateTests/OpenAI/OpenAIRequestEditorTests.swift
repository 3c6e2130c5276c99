import Testing
import Translate

@Suite struct OpenAIRequestEditorTests {
    static func model(vision: Bool = true) throws -> ResolvedModel {
        let file =
            #"{"providers":{"u":{"base_url":"http://u.test/v1"}},"models":{"m":{"provider":"u","model":"real/name","vision":\#(vision)}}}"#
        return try #require(try ModelCatalog.parse(Array(file.utf8), file: "f", environment: [:]).resolve("m"))
    }

    @Test func `every byte but the model's name stays`() throws {
        let before =
            "\n { \"messages\" : [ {\"role\":\"user\",\"content\":\"a\\u00e9\\/ \\ud83d\\ude00 \\ud800\"} ],\t\"model\": \"m\", \"seed\":1.50e1, \"x\":{\"model\":\"m\"} } trailing"
        let editor = try OpenAIRequestEditor(Array(before.utf8))
        #expect(editor.model == "m" && !editor.stream && editor.pictures.isEmpty)
        let after = String(decoding: editor.rewritten(model: try Self.model()).joined, as: UTF8.self)
        let expected = before.replacing("\"model\": \"m\"", with: "\"model\": \"real/name\"").replacing(" trailing", with: "").dropFirst(2)
        #expect(after == expected)
    }

    @Test func `pictures are found with place and detail`() throws {
        let body = #"""
            {"model":"m","stream":true,"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"detail":"high","url":"https:\/\/a.test\/x"}}]},
            {"role":"assistant","content":"y"},{"role":"user","content":[{"type":"text","text":"t"},{"image_url":"data:image/png;base64,AAAA","type":"image_url"},
            {"type":"image_url","image_url":{}},{"type":"image_url","image_url":{"url":5}}]}]}
            """#
        let editor = try OpenAIRequestEditor(Array(body.utf8))
        #expect(editor.stream)
        #expect(
            editor.pictures.map(\.param) == [
                "messages[0].content[0].image_url.url", "messages[2].content[1].image_url", "messages[2].content[2].image_url",
                "messages[2].content[3].image_url.url",
            ])
        #expect(editor.pictures.map(\.isInNewestTurn) == [false, true, true, true])
        #expect(editor.pictures.map(\.detail) == ["high", nil, nil, nil])
        #expect(editor.pictures[0].source == .url("https://a.test/x"))
        #expect(editor.pictures[1].source == .encoded(ArraySlice("data:image/png;base64,AAAA".utf8)))
        #expect(editor.pictures[3].source == .faulty(.notText))
        let failure = #expect(throws: OpenAIFailure.self) { try editor.treatments(for: try Self.model()) }
        #expect(failure?.param == "messages[2].content[2].image_url" && failure?.message == "Unsupported image type")
    }

    @Test func `a picture in the form of the Responses API takes that of chats`() throws {
        let body =
            #"{"model":"m","messages":[{"role":"user","content":[{"type":"input_image","image_url":"data:,AAAA","detail":"low"}]}]}"#
        let editor = try OpenAIRequestEditor(Array(body.utf8))
        #expect(editor.pictures.map(\.param) == ["messages[0].content[0].image_url"] && editor.pictures[0].detail == "low")
        let sent = editor.rewritten(model: try Self.model(), outcomes: [.jpeg(base64: [Array("/9j/".utf8)[...]], detail: "high")])
        let expected =
            #"{"model":"real/name","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,/9j/","detail":"low"}}]}]}"#
        #expect(String(decoding: sent.joined, as: UTF8.self) == expected)
    }

    @Test func `a detail that is none gives way, and bytes that are no text are repaired`() throws {
        let body =
            #"{"model":"m","messages":[{"content":[{"type":"image_url","image_url":{"url":"data:,A","detail":null}},{"text":"!"}]}]}"#
        let editor = try OpenAIRequestEditor(Array(body.utf8).map { $0 == UInt8(ascii: "!") ? 0xFF : $0 })
        let sent = editor.rewritten(model: try Self.model(), outcomes: [.jpeg(base64: [Array("/9j/".utf8)[...]], detail: "low")])
        let expected =
            #"{"model":"real/name","messages":[{"content":[{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,/9j/","detail":"low"}},{"text":"\#u{FFFD}"}]}]}"#
        #expect(String(decoding: sent.joined, as: UTF8.self) == expected)
    }

    /// Whatever an upstream makes of a key that is there twice or in another case, it gets it once.
    @Test(arguments: [
        (#"{"model":"x","messages":[],"MODEL":"m","Messages":[MESSAGE],"Stream":true}"#, #"{"role":"user","content":[PART]}"#, "PICTURE"),
        (#"{"model":"m","stream":true,"messages":[MESSAGE]}"#, #"{"content":"a","Role":"user","Content":[PART]}"#, "PICTURE"),
        (
            #"{"model":"m","stream":true,"messages":[MESSAGE]}"#, #"{"role":"user","content":[PART]}"#,
            #"PICTURE,"IMAGE_URL":{"url":"data:,B"}"#
        ),
        (#"{"model":"m","stream":true,"messages":[MESSAGE]}"#, #"{"role":"user","content":[PART]}"#, #"{"URL":"data:,B"}"#),
    ])
    func `a key counts in any case, and the last of several`(body: String, message: String, picture: String) throws {
        let part = #"{"type":"image_url","image_url":\#(picture)}"#.replacing("PICTURE", with: #"{"url":"data:,A","url":"data:,B"}"#)
        let text = body.replacing("MESSAGE", with: message).replacing("PART", with: part)
        let editor = try OpenAIRequestEditor(Array(text.utf8))
        #expect(editor.model == "m" && editor.stream && editor.pictures.count == 1)
        #expect(editor.pictures.first?.source == .encoded(ArraySlice("data:,B".utf8)), "\(text)")
        let sent = String(
            decoding: editor.rewritten(model: try Self.model(), outcomes: [.jpeg(base64: [Array("/9j/".utf8)[...]])]).joined, as: UTF8.self)
        #expect(!sent.contains("data:,") && sent.lowercased().ranges(of: #""messages""#).count == 1, "\(sent)")
        #expect(sent.lowercased().ranges(of: #""model""#).count == 1 && sent.ranges(of: "real/name").count == 1)
    }

    @Test func `a picture goes in as a piece of its own`() throws {
        let body =
            #"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:,AAAA","x":1},"cache":2}]}]}"#
        let editor = try OpenAIRequestEditor(Array(body.utf8))
        let sent = editor.rewritten(model: try Self.model(), outcomes: [.jpeg(base64: [Array("/9j/".utf8)[...]], detail: "low")])
        #expect(sent.pieces.count == 3 && sent.pieces[1] == Array("/9j/".utf8)[...])
        let expected =
            #"{"model":"real/name","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,/9j/","detail":"low","x":1},"cache":2}]}]}"#
        #expect(String(decoding: sent.joined, as: UTF8.self) == expected)
    }

    @Test func `a model without vision names the part`() throws {
        let body = #"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:,AAAA"}}]}]}"#
        let editor = try OpenAIRequestEditor(Array(body.utf8))
        let failure = #expect(throws: OpenAIFailure.self) { try editor.treatments(for: try Self.model(vision: false)) }
        #expect(failure?.message == "m does not support vision" && failure?.code == "UNSUPPORTED_CAPABILITY")
        #expect(failure?.type == "invalid_request_error" && failure?.param == "messages[0].content[0].image_url.url")
    }

    @Test(arguments: [
        ("", "missing request body"), ("[]", "the request body must be a JSON object"), ("{", "unexpected EOF"),
        (#"{"model":"m","messages":[]}"#, "[] is too short - 'messages'"), (#"{"model":"m"}"#, "[] is too short - 'messages'"),
    ])
    func `broken bodies are refused`(body: String, message: String) {
        let failure = #expect(throws: OpenAIFailure.self) { try OpenAIRequestEditor(Array(body.utf8)) }
        #expect(failure?.message == message && failure?.status == 400)
    }

    @Test func `other routes only change the model`() throws {
        let editor = try OpenAIRequestEditor(Array(#"{"input":["a"],"model":"m:latest"}"#.utf8), route: .embeddings)
        let sent = editor.rewritten(model: try Self.model())
        #expect(sent.path == "/embeddings" && String(decoding: sent.joined, as: UTF8.self) == #"{"input":["a"],"model":"real/name"}"#)
    }

    static func learned(_ adjustments: [LearnedAdjustments.Adjustment]) -> LearnedAdjustments {
        adjustments.reduce(into: LearnedAdjustments()) { $0.apply($1) }
    }

    @Test(
        arguments: [
            (#"{"model":"m", "seed":1 , "top_k":2,"input":"a"}"#, [.drop("seed")], #"{"model":"real/name", "top_k":2,"input":"a"}"#),
            (#"{"model":"m","input":"a" , "seed":1 }"#, [.drop("seed")], #"{"model":"real/name","input":"a" }"#),
            (#"{"seed":1,"model":"m","x":[1],"y":{}}"#, [.drop("seed"), .drop("x"), .drop("y")], #"{"model":"real/name"}"#),
            (#"{"model":"m","x":[1],"y":{} ,"z":0}"#, [.drop("z"), .drop("x"), .drop("y")], #"{"model":"real/name"}"#),
            (#"{"x":1,"y":2}"#, [.drop("x"), .drop("y")], "{}"),
            (
                #"{"model":"m","max_tokens":5}"#, [.rename("max_tokens", to: "max_completion_tokens")],
                #"{"model":"real/name","max_completion_tokens":5}"#
            ),
            (
                #"{"max_tokens":5,"max_completion_tokens":6,"model":"m"}"#, [.rename("max_tokens", to: "max_completion_tokens")],
                #"{"max_completion_tokens":6,"model":"real/name"}"#
            ),
            (
                #"{"model":"m","reasoning_effort":"none","n":"none"}"#,
                [.replace(parameter: "reasoning_effort", value: "none", with: "minimal"), .schemaInPrompt, .echoReasoning],
                #"{"model":"real/name","reasoning_effort":"minimal","n":"none"}"#
            ),
        ] as [(String, [LearnedAdjustments.Adjustment], String)])
    func `what an upstream refused before is not sent again`(
        body: String, lessons: [LearnedAdjustments.Adjustment], expected: String
    ) throws {
        let editor = try OpenAIRequestEditor(Array(body.utf8), route: .embeddings)
        let sent = editor.rewritten(model: try Self.model(), adjustments: Self.learned(lessons))
        #expect(String(decoding: sent.joined, as: UTF8.self) == expected)
        #expect(try Set(#require(try JSONParser.parse(sent.joined).object).members.map(\.key)) == sent.parameters)
    }

    @Test(arguments: [
        (
            #"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":[{"type":"text","text":"c\u00e9"},{"type":"image_url","image_url":{"url":"data:,AAAA"}},{"type":"text","text":"d"}]},{"role":"tool","content":"e"}]}"#,
            OpenAIRequestEditor.Route.chatCompletions, "cé\nd"
        ),
        (#"{"messages":[{"role":"system","content":"a"}]}"#, .chatCompletions, ""), (#"{"prompt":["a","b"]}"#, .completions, "a\nb"),
        (#"{"input":"x"}"#, .embeddings, "x"), (#"{"input":[[1,2]]}"#, .embeddings, ""), ("{}", .embeddings, ""),
    ])
    func `the question is what was asked last`(body: String, route: OpenAIRequestEditor.Route, question: String) throws {
        let editor = try OpenAIRequestEditor(Array(body.utf8), route: route)
        #expect(editor.question == question)
        #expect(editor.textBytes == body.utf8.count - (body.contains("AAAA") ? #""data:,AAAA""#.utf8.count : 0))
    }

    @Test func `a format is never learned away`() throws {
        let body = #"{"model":"m","response_format":{"type":"json_object"},"seed":1}"#
        let sent = try OpenAIRequestEditor(Array(body.utf8), route: .completions).rewritten(model: try Self.model())
        #expect(sent.parameters == ["model", "seed"])
        let refusal = Array(#"{"error":{"message":"Unsupported: 'response_format' of type json_schema"}}"#.utf8)
        #expect(LearnedAdjustments.learn(status: 400, body: refusal, sent: sent.parameters) == nil)
    }

    @Test func `no accepted body makes the editor trap or break JSON`() throws {
        let odd = [
            #"{"model":1,"messages":[1]}"#, #"{"messages":[{"content":[{"image_url":[]}]}]}"#,
            #"{"messages":[{"content":[{"image_url":null}]}],"model":null}"#,
            #"{"messages":[[],{},{"content":{}}],"model":"a\"b\\"}"#, #"{"a\"b":[{"":""}],"messages":["]"],"model":"}"}"#,
            #"{"messages":[{"content":[{"image_url":"x","image_url":{"url":"data:,AA"}}]}],"model":"m","model":"n"}"#,
        ]
        for text in odd {
            let editor = try OpenAIRequestEditor(Array(text.utf8))
            let sent = editor.rewritten(model: try Self.model(), outcomes: editor.pictures.map { _ in .jpeg(base64: [[65]]) })
            #expect(throws: Never.self) { try JSONParser.parse(sent.joined) }
        }
    }
}
