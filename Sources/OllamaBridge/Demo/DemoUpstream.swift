import HTTPTypes
import HummingbirdCore
import NIOCore
import Translate

/// A small OpenAI-compatible server inside the bridge, for newcomers, tests and benchmarks. It is reached over real HTTP like any other upstream.
enum DemoUpstream {
    static func routes() -> Routes {
        var routes = Routes()
        routes.on(.get, at: "/v1/models") { _ in
            .json(
                JSONWriter.bytes([
                    "object": "list", "data": [["id": "demo", "object": "model", "created": 0, "owned_by": "ollama-bridge"]],
                ]))
        }
        routes.on(.post, at: "/v1/chat/completions") { exchange in
            let body = try await body(of: exchange)
            let answer = DemoModel.answer(to: body)
            let usage = usage(of: body, answer: answer)
            return body["stream"]?.bool == true
                ? stream(answer, usage: body["stream_options"]?.object?["include_usage"]?.bool == true ? usage : nil)
                : .json(JSONWriter.bytes(whole(answer, usage: usage)))
        }
        routes.on(.post, at: "/v1/completions") { exchange in
            let body = try await body(of: exchange)
            let text = "demo completion of \(body["prompt"]?.string?.utf8.count ?? 0) bytes"
            let choice: JSONValue = ["index": 0, "text": .text(text), "finish_reason": "stop"]
            return .json(JSONWriter.bytes(["id": "cmpl-demo", "object": "text_completion", "model": "demo", "choices": [choice]]))
        }
        routes.on(.post, at: "/v1/embeddings") { exchange in
            .json(JSONWriter.bytes(DemoEmbeddings.answer(to: try await body(of: exchange))))
        }
        return routes
    }

    private static func body(of exchange: Exchange) async throws -> JSONObject {
        let bytes = try await BodyReader.read(exchange, limit: ListenerLimits().bodyBytes).bytes
        guard let object = try JSONParser.parse(bytes).object else {
            throw OllamaFailure(status: 400, error: "the body is no JSON object")
        }
        return object
    }

    /// Counts in the demo's own unit, words: nobody pays for them.
    private static func usage(of body: JSONObject, answer: DemoModel.Answer) -> JSONValue {
        let prompt = (body["messages"]?.array ?? []).reduce(0) { sum, message in
            let content = message.object?["content"]
            return sum + (content?.string?.split(separator: " ").count ?? (content?.array?.count ?? 0))
        }
        let completion = words(of: answer).count + answer.toolCalls.count
        return [
            "prompt_tokens": .integer(max(prompt, 1)), "completion_tokens": .integer(max(completion, 1)),
            "total_tokens": .integer(max(prompt, 1) + max(completion, 1)),
        ]
    }

    /// The text cut before each word, so that the pieces joined are the text.
    private static func words(of answer: DemoModel.Answer) -> [String] {
        var pieces: [String] = []
        for character in answer.text {
            if pieces.isEmpty || character == " " { pieces.append("") }
            pieces[pieces.count - 1].append(character)
        }
        return pieces
    }

    private static func toolCalls(_ answer: DemoModel.Answer) -> JSONValue {
        .array(
            answer.toolCalls.enumerated().map { index, call in
                [
                    "index": .integer(index), "id": .text("call_demo\(index)"), "type": "function",
                    "function": ["name": .text(call.name), "arguments": .text(String(decoding: call.arguments, as: UTF8.self))],
                ]
            })
    }

    private static func whole(_ answer: DemoModel.Answer, usage: JSONValue) -> JSONValue {
        var message: JSONObject = ["role": "assistant", "content": answer.toolCalls.isEmpty ? .text(answer.text) : .null]
        message["reasoning_content"] = answer.thinking.map(JSONValue.text)
        if !answer.toolCalls.isEmpty { message["tool_calls"] = toolCalls(answer) }
        let choice: JSONValue = [
            "index": 0, "message": .object(message), "finish_reason": answer.toolCalls.isEmpty ? "stop" : "tool_calls",
        ]
        return [
            "id": "chatcmpl-demo", "object": "chat.completion", "created": .integer(Int(Clock.now().seconds)), "model": "demo",
            "choices": [choice], "usage": usage,
        ]
    }

    private static func stream(_ answer: DemoModel.Answer, usage: JSONValue?) -> Response {
        var deltas: [JSONValue] = [["role": "assistant", "content": ""]]
        if let thinking = answer.thinking { deltas.append(["reasoning_content": .text(thinking)]) }
        deltas += words(of: answer).map { ["content": .text($0)] }
        if !answer.toolCalls.isEmpty { deltas.append(["tool_calls": toolCalls(answer)]) }
        var events = deltas.map { chunk(choices: [["index": 0, "delta": $0, "finish_reason": .null]]) }
        events.append(chunk(choices: [["index": 0, "delta": [:], "finish_reason": answer.toolCalls.isEmpty ? "stop" : "tool_calls"]]))
        if let usage { events.append(chunk(choices: [], usage: usage)) }
        events.append(Array("data: [DONE]\n\n".utf8))
        let buffers = events.map { ByteBuffer(bytes: $0) }
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream"],
            body: ResponseBody { writer in
                for buffer in buffers { try await writer.write(buffer) }
                try await writer.finish(nil)
            })
    }

    private static func chunk(choices: [JSONValue], usage: JSONValue? = nil) -> [UInt8] {
        var chunk: JSONObject = [
            "id": "chatcmpl-demo", "object": "chat.completion.chunk", "created": .integer(Int(Clock.now().seconds)), "model": "demo",
            "choices": .array(choices),
        ]
        chunk["usage"] = usage
        return Array("data: ".utf8) + JSONWriter.bytes(.object(chunk)) + Array("\n\n".utf8)
    }
}
