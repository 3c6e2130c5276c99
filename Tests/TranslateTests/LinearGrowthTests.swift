import TestSupport
import Testing

@testable import Translate

/// What a client or an upstream may send in any number costs a time that grows with the number, not with its square.
@Suite(.serialized) struct LinearGrowthTests {
    /// Something of any size, and the work that it makes.
    struct Load: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let count: Int
        /// Makes the input of a size, and gives what is to be measured.
        let prepare: @Sendable (Int) throws -> () -> Void

        init(_ name: String, _ count: Int, _ prepare: @escaping @Sendable (Int) throws -> () -> Void) {
            testDescription = name
            self.count = count
            self.prepare = prepare
        }

        /// The least of three.
        func cost(times factor: Int) throws -> Duration {
            let work = try prepare(count * factor)
            return (0..<3).map { _ in
                let start = ProcessCounts.threadTime
                work()
                return ProcessCounts.threadTime - start
            }.reduce(.seconds(1000), min)
        }
    }

    /// The building of a request with these messages.
    private static func building(_ messages: [JSONValue], dialect: String = "openai") throws -> () -> Void {
        let request = try InferenceRequest.chat(["model": "m", "messages": .array(messages)])
        let file: JSONValue = [
            "providers": ["u": ["base_url": "http://u.test", "dialect": .text(dialect)]], "models": ["m": ["provider": "u"]],
        ]
        let catalog = try ModelCatalog.parse(JSONWriter.bytes(file), file: "f", environment: [:])
        let model = try #require(catalog.resolve("m"))
        return { _ = try? ChatCompletionBuilder.build(request, model: model) }
    }

    private static func calls(_ count: Int) -> [JSONValue] {
        (0..<count).map { ["id": .text("call\($0)"), "function": ["name": "f", "arguments": [:]]] }
    }

    private static let loads = [
        Load("results of one turn's calls", 250) { count in
            let results = (0..<count).reversed().map { ["role": "tool", "tool_call_id": .text("call\($0)"), "content": "r"] as JSONValue }
            return try building([["role": "assistant", "content": "", "tool_calls": .array(calls(count))]] + results)
        },
        Load("results without a name", 250) { count in
            let results = [JSONValue](repeating: ["role": "tool", "content": "r"], count: count)
            return try building([["role": "assistant", "content": "", "tool_calls": .array(calls(count))]] + results)
        },
        Load("many results of one call", 500) { count in
            let results = [JSONValue](
                repeating: ["role": "tool", "tool_call_id": "call0", "content": .text(.init(repeating: "r", count: 500))], count: count)
            return try building([["role": "assistant", "content": "", "tool_calls": .array(calls(1))]] + results)
        },
        Load("calls in messages of their own", 250) { count in
            try building(calls(count).map { ["role": "assistant", "content": "text", "tool_calls": [$0]] })
        },
        Load("long messages of one role", 500) { count in
            let text = JSONValue.text(.init(repeating: "a", count: 500))
            return try building(.init(repeating: ["role": "user", "content": text], count: count), dialect: "mistral")
        },
        Load("long system messages", 500) { count in
            let text = JSONValue.text(.init(repeating: "a", count: 500))
            return try building(.init(repeating: ["role": "system", "content": text], count: count), dialect: "vllm")
        },
        Load("answers to one long question", 250) { count in
            let question: JSONValue = ["role": "user", "content": .text(.init(repeating: "q", count: count))]
            let answers = [JSONValue](repeating: ["role": "assistant", "content": "a"], count: count)
            let request = try InferenceRequest.chat(["model": "m", "messages": .array([question] + answers)])
            return { _ = request.recalling([.details]) { _ in nil } }
        },
        Load("tools whose names are the same once cleaned", 250) { count in
            let stem = String(repeating: "n", count: 60)
            let tools = (0..<count).map { ["function": ["name": .text("\(stem)\($0 / 2)")]] as JSONValue }
            let request = try InferenceRequest.chat(["model": "m", "messages": [], "tools": .array(tools)])
            return { _ = ToolMapping(request.tools) }
        },
        Load("tool calls told apart by their ids", 500) { count in
            let fragments = (0..<count).map { ["id": .text("call\($0)"), "function": ["name": "f", "arguments": "{}"]] as JSONObject }
            return {
                var assembler = ToolCallAssembler()
                for fragment in fragments { try? assembler.push(fragment) }
                _ = try? assembler.finish(cutByLength: false, seed: 1)
            }
        },
        Load("blanks before an answer", 2000) { count in
            let blank = [UInt8(ascii: "\n")]
            return {
                var splitter = ThinkTagSplitter(opened: false)
                var pieces: [ThinkTagSplitter.Piece] = []
                for _ in 0..<count { splitter.push(blank[...], into: &pieces) }
                splitter.finish(into: &pieces)
            }
        },
        Load("halves of characters under a long key", 100) { count in
            let parts = String(repeating: #""a\ud83d","#, count: count)
            let chunk = #"{"\#(String(repeating: "k", count: 1000 * count))":[\#(parts)0]}"#
            let value = try #require(JSONParser.parseAll(Array(chunk.utf8), keepsHalves: true).values.first)
            return {
                var joiner = SurrogateJoiner()
                _ = joiner.joined(value)
            }
        },
        Load("a name with the registry again and again", 500) { count in
            try looking(for: String(repeating: "library/", count: count) + "m")
        },
        Load("a name of signs that belong together", 500) { count in try looking(for: String(repeating: "🇩", count: count) + ":x") },
        Load("a refusal of parameters without end", 100) { count in
            let sent = Set((0..<count).map { "parameter_\($0)" })
            let body = Array(("unknown " + String(repeating: "word ", count: 50 * count)).utf8)
            return { _ = LearnedAdjustments.learn(status: 400, body: body, sent: sent) }
        },
        Load("parts of reasoning with many members", 500) { count in
            let part: (Int) -> JSONObject = { start in
                var members = [JSONObject.Member(key: "type", value: "reasoning.text")]
                members += (start..<start + count).map { JSONObject.Member(key: "k\($0)", value: 1) }
                return JSONObject(members)
            }
            let details = JSONValue.array([.object(part(0)), .object(part(count))])
            return {
                var collector = EchoCollector([.details])
                collector?.take(details: details)
            }
        },
    ]

    private static func looking(for name: String) throws -> () -> Void {
        let catalog = try ModelCatalog.parse(Array(#"{"models":{"m":{"provider":"demo"}}}"#.utf8), file: "f", environment: [:])
        return { _ = try? catalog.require(name, for: .show) }
    }

    @Test(arguments: loads)
    func `eight times as much costs some eight times as much`(load: Load) throws {
        let ratio = try load.cost(times: 8) / load.cost(times: 1)
        // Its square would be 64.
        #expect(ratio < 24, "\(ratio)")
    }
}
