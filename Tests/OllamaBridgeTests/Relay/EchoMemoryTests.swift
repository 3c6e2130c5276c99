import Testing
import Translate

@testable import OllamaBridge

@Suite struct EchoMemoryTests {
    static let request = InferenceRequest(shape: .chat, model: "m", messages: [Message(role: .user, content: "Weather?")])

    /// What an answer leaves behind: one call with a signature of a size.
    static func echo(_ id: String, bytes: Int) throws -> AnswerEcho? {
        var settings = AnswerSettings(shape: .chat, model: "m", requestReceived: Clock.now())
        settings.keeps = .callExtras
        var collector = AnswerCollector(settings)
        let signature = String(repeating: "s", count: bytes)
        let call =
            #"{"index":0,"id":"\#(id)","function":{"name":"f","arguments":"{\"of\":\"\#(id)\"}"},"extra_content":{"google":"\#(signature)"}}"#
        try collector.push(
            Array(#"{"choices":[{"message":{"tool_calls":[\#(call)]},"finish_reason":"stop"}]}"#.utf8), at: Clock.now())
        _ = try collector.finish(at: Clock.now())
        return collector.summary.echo
    }

    static func isKnown(_ id: String, to memory: EchoMemory, _ model: ResolvedModel, client: String? = nil) -> Bool {
        var next = request
        let call = ToolCall(id: id, name: "f", arguments: ["of": .text(id)])
        next.messages.append(Message(role: .assistant, toolCalls: [call]))
        return memory.recall(next, for: model, client: client).messages[1].toolCalls[0].extraContent != nil
    }

    @Test func `what was used of late stays, and the whole is bounded`() throws {
        let memory = EchoMemory()
        let model = try RunningModelsTests.model("gemini")
        let place = EchoPlace(answering: Self.request)
        let size = 1 << 20
        let rounds = 3 * EchoMemory.mostBytes / size
        for number in 0..<rounds {
            memory.remember(try Self.echo("call\(number)", bytes: size), at: place, of: model, client: nil)
            #expect(Self.isKnown("call0", to: memory, model), "the first is asked for in every turn")
        }
        let known = (0..<rounds).count { Self.isKnown("call\($0)", to: memory, model) }
        #expect(known * size <= 2 * EchoMemory.mostBytes)
        #expect(!Self.isKnown("call1", to: memory, model) && Self.isKnown("call\(rounds - 1)", to: memory, model))
    }

    @Test func `no other client and no other model is told`() throws {
        let memory = EchoMemory()
        let model = try RunningModelsTests.model("gemini")
        memory.remember(try Self.echo("a", bytes: 10), at: EchoPlace(answering: Self.request), of: model, client: "ada")
        #expect(Self.isKnown("a", to: memory, model, client: "ada"))
        #expect(!Self.isKnown("a", to: memory, model, client: "bob") && !Self.isKnown("a", to: memory, model))
        #expect(!Self.isKnown("a", to: memory, try RunningModelsTests.model("gemini-2"), client: "ada"))
    }
}
