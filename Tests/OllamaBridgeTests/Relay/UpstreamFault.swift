import TestSupport
import Testing

/// What an upstream does wrong once it has read the request, and what the client of a streamed chat must be told.
struct UpstreamFault: Sendable, CustomTestStringConvertible {
    enum Outcome: Sendable {
        /// A status of its own, with this in its `error`.
        case refused(Int, String)
        /// Lines that begin well and end with an error line that holds this.
        case brokenOff(String)
        /// All is well after all.
        case answered
    }

    let name: String
    let steps: [StubStep]
    let outcome: Outcome
    var testDescription: String { name }

    init(_ name: String, _ steps: [StubStep], _ outcome: Outcome) {
        self.name = name
        self.steps = steps
        self.outcome = outcome
    }

    private static let head = StubStep.send(StubAnswer.eventStreamHead)
    private static let first = StubStep.bytes(Say.event("Half"))
    private static let end = StubStep.bytes(StubAnswer.lastChunk)
    private static let cutOff = "closed the connection before the answer was complete"

    private static func plain(_ status: String, _ type: String, _ body: String, _ more: [String] = []) -> [StubStep] {
        [.bytes(StubAnswer.whole(status, headers: ["Content-Type: \(type)"] + more, body: body))]
    }

    private static func event(_ json: String) -> StubStep { .bytes(StubAnswer.chunk("data: \(json)\n\n")) }

    /// By the letters of `docs/reliability.md`.
    static let all = silences + cuts + lines + answers + refusals + framing + toolCalls

    private static let silences = [
        UpstreamFault("never answers", [.untilPeerCloses], .refused(504, "did not answer in time")),
        UpstreamFault("sends a head and falls silent", [head, .untilPeerCloses], .refused(504, "stopped answering")),
        UpstreamFault("falls silent in the stream", [head, first, .untilPeerCloses], .brokenOff("stopped answering")),
        UpstreamFault(
            "falls silent in a line", [head, first, .bytes(StubAnswer.chunk("data: {\"cho")), .untilPeerCloses], .brokenOff("stopped")),
    ]

    private static let cuts = [
        UpstreamFault("closes before any byte", [], .refused(502, cutOff)),
        UpstreamFault("resets before any byte", [.reset], .refused(502, cutOff)),
        UpstreamFault("cuts behind the status line", [.send("HTTP/1.1 200 OK\r\n")], .refused(502, cutOff)),
        UpstreamFault("cuts in the headers", [.send("HTTP/1.1 200 OK\r\nContent-Ty")], .refused(502, cutOff)),
        UpstreamFault("cuts behind the head", [head], .refused(502, cutOff)),
        UpstreamFault("cuts in a chunk's size", [head, first, .send("1")], .brokenOff(cutOff)),
        UpstreamFault("cuts in a chunk", [head, first, .send("40\r\ndata: {\"choi")], .brokenOff(cutOff)),
        UpstreamFault("cuts in a line", [head, first, .bytes(StubAnswer.chunk("data: {\"choices\": [{\"ind"))], .brokenOff(cutOff)),
        UpstreamFault(
            "cuts before a blank line",
            [head, first, .bytes(StubAnswer.chunk(#"data: {"choices": [{"index": 0, "delta": {"content": "x"}}]}"#))], .brokenOff(cutOff)),
        UpstreamFault("ends properly before the end of the answer", [head, first, end], .brokenOff(cutOff)),
        UpstreamFault("resets in the stream", [head, first, .reset], .brokenOff(cutOff)),
        UpstreamFault("ends behind the finish reason without [DONE]", [head, first, .bytes(Say.finish), end], .answered),
        UpstreamFault("closes behind the finish reason without the last chunk", [head, first, .bytes(Say.finish)], .answered),
        UpstreamFault("closes behind [DONE] without the last chunk", [head, first, .bytes(Say.stop)], .answered),
    ]

    private static let lines = [
        UpstreamFault("sends a line of a megabyte", [head, event(text(1 << 20)), .bytes(Say.stop), end], .answered),
        UpstreamFault("sends a line over the limit", [head, first, event(text(9 << 20))], .brokenOff("line longer than")),
        UpstreamFault("begins with a line over the limit", [head, event(text(9 << 20))], .refused(502, "line longer than")),
        UpstreamFault("sends no JSON", [head, first, event("{not json")], .brokenOff("cannot be read")),
        UpstreamFault(
            "sends broken UTF-8",
            [
                head,
                .bytes(
                    Array("4d\r\ndata: {\"choices\": [{\"index\": 0, \"delta\": {\"content\": \"a".utf8) + [
                        0xFF, 0xC0, 0xAF, 0xED, 0xA0, 0x80,
                    ]
                        + Array("b\"}}]}\n\n        \r\n".utf8)),
                .bytes(Say.stop), end,
            ], .answered),
        UpstreamFault(
            "keeps the line alive with comments",
            [head, .bytes(StubAnswer.chunk(": ping\n\n: ping\r\n\r\n")), first, .bytes(StubAnswer.chunk(":\n\n")), .bytes(Say.stop), end],
            .answered),
    ]

    private static func text(_ count: Int) -> String {
        #"{"choices": [{"index": 0, "delta": {"content": "\#(String(repeating: "x", count: count))"}}]}"#
    }

    private static let answers = [
        UpstreamFault(
            "reports an error in the stream", [head, first, event(#"{"error": {"message": "Fell over."}}"#)], .brokenOff("Fell over.")),
        UpstreamFault(
            "answers 200 with an error", plain("200 OK", "application/json", #"{"error": {"message": "Fell over."}}"#),
            .refused(502, "Fell over.")),
        UpstreamFault("answers 200 with a web page", plain("200 OK", "text/html", "<html>Log in</html>"), .refused(502, "web page")),
        UpstreamFault("answers 502 with a web page", plain("502 Bad Gateway", "text/html", "<html>Bad</html>"), .refused(502, "")),
        UpstreamFault("answers 200 with nothing", plain("200 OK", "text/event-stream", ""), .refused(502, "")),
        UpstreamFault(
            "streams under another content type",
            [.send(StubAnswer.eventStreamHead.replacing("text/event-stream", with: "text/plain")), first, .bytes(Say.stop), end],
            .answered),
        UpstreamFault("answers whole where a stream was asked for", plain("200 OK", "application/json", Say.whole), .answered),
        UpstreamFault("ends without a word", [head, .bytes(StubAnswer.chunk("data: [DONE]\n\n")), end], .refused(502, "empty response")),
    ]

    private static func refusal(_ status: String, _ message: String, _ more: [String] = []) -> [StubStep] {
        plain(status, "application/json", #"{"error": {"message": "\#(message)"}}"#, more)
    }

    private static let refusals =
        [
            UpstreamFault(
                "refuses our key", refusal("401 Unauthorized", "Incorrect API key provided: sk-x"), .refused(502, "rejected the API key")),
            UpstreamFault("has no such model", refusal("404 Not Found", "No such model"), .refused(404, "")),
            UpstreamFault(
                "is asked too often", refusal("429 Too Many Requests", "Slow down.", ["Retry-After: 70"]), .refused(429, "Slow down.")),
            UpstreamFault("breaks inside", refusal("500 Internal Server Error", "Broken inside."), .refused(502, "Broken inside.")),
            UpstreamFault("is overloaded", refusal("503 Service Unavailable", "Overloaded."), .refused(503, "Overloaded.")),
        ]
        + [301, 302, 307, 308].map {
            UpstreamFault(
                "redirects with \($0)", plain("\($0) Elsewhere", "text/plain", "", ["Location: http://127.0.0.1:9/"]), .refused(502, ""))
        }

    private static let framing = [
        UpstreamFault(
            "sends interim answers first", [.send("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"), head, first, .bytes(Say.stop), end],
            .answered),
        UpstreamFault("answers twice", [head, first, .bytes(Say.stop), end, .bytes(StubAnswer.whole(body: "smuggled"))], .answered),
        UpstreamFault(
            "says more than it sends",
            [.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n\(Say.whole)")], .refused(502, cutOff)),
        UpstreamFault(
            "sends endless headers",
            [.send("HTTP/1.1 200 OK\r\n" + String(repeating: "X-A: \(String(repeating: "a", count: 1000))\r\n", count: 300) + "\r\n")],
            .refused(502, "")),
        UpstreamFault("speaks something else", [.bytes([0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5])], .refused(502, "invalid HTTP response")),
        UpstreamFault("sends garbage for a chunk's size", [head, first, .send("zz\r\n")], .brokenOff("")),
        UpstreamFault(
            "compresses unasked",
            [
                .bytes(
                    StubAnswer.whole(
                        headers: ["Content-Type: text/event-stream", "Content-Encoding: gzip"], bytes: [0x1F, 0x8B, 8, 0, 1, 2, 3, 4]))
            ], .refused(502, "")),
        UpstreamFault(
            "streams in HTTP/1.0 until it closes",
            [
                .send(
                    "HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {\"choices\": [{\"index\": 0, \"delta\": {\"content\": \"Hi\"}, \"finish_reason\": \"stop\"}]}\n\n"
                )
            ], .answered),
    ]

    private static func call(_ index: String, _ arguments: String) -> StubStep {
        event(
            #"{"choices": [{"index": 0, "delta": {"tool_calls": [{"index": \#(index), "id": "c\#(index)", "function": {"name": "f", "arguments": \#(arguments)}}]}}]}"#
        )
    }

    private static let calls = StubStep.bytes(
        StubAnswer.chunk(#"data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}"# + "\n\ndata: [DONE]\n\n"))
    private static let toolCalls = [
        UpstreamFault(
            "numbers its tool calls oddly", [head, call("2147483648", #""{}""#), call("7", #""{}""#), call("3", #""{}""#), calls, end],
            .answered),
        UpstreamFault("calls ten thousand tools", [head] + (0..<10_000).map { call("\($0)", #""{}""#) } + [calls, end], .answered),
        UpstreamFault(
            "sends arguments that are no JSON", [head, call("0", #""{not json""#), calls, end], .refused(502, "invalid tool call arguments")
        ),
    ]
}
