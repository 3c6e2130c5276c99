import DequeModule
import Synchronization
import Translate

/// Gathers the text of one answer, to be continued when a client sends the answer's `context` back.
final class TranscriptKeeper: Sendable {
    let id: Int
    private let store: ContextStore
    private let client: String?
    private let question: [Message]
    private let answer = Mutex("")

    /// - Parameter client: The name of its key; only it may continue the conversation.
    init(_ store: ContextStore, client: String?, question: [Message]) {
        id = store.next()
        self.store = store
        self.client = client
        // Pictures are not kept: they are large, and a continuation asks about the text. The text is copied, because it is a part of the
        // request's body, which would stay in memory with it.
        self.question = question.map { Message(role: $0.role, content: JSONText($0.content.string)) }
    }

    func note(_ lines: LineBatch) {
        for index in 0..<lines.count { note(Array(lines.line(index))) }
    }

    /// - Parameter line: One object of an answer to `/api/generate`.
    func note(_ line: [UInt8]) {
        guard let text = try? JSONParser.parse(line).object?["response"]?.string else { return }
        // What grows over the limit is not kept at the end, so no more of it is needed.
        answer.withLock { if $0.utf8.count <= ContextStore.mostBytes { $0 += text } }
    }

    func keep() {
        store.store(question + [Message(role: .assistant, content: JSONText(answer.withLock { $0 }))], as: id, of: client)
    }
}

/// What stands behind the `context` numbers of `/api/generate`.
///
/// Ollama's are the tokens of the conversation so far; an upstream behind OpenAI's API gives none. Ours name a transcript kept here, which
/// is put before the prompt when the same client sends them back. A client that comes too late starts afresh, as it would with another model.
final class ContextStore: Sendable {
    /// Conversations kept, and the most that one and all of them take.
    private static let mostTranscripts = 256
    fileprivate static let mostBytes = 256 << 10
    private static let mostBytesOfAll = 64 << 20

    private struct State {
        var transcripts: [Key: [Message]] = [:]
        var order: Deque<Key> = []
        var bytes = 0

        mutating func dropOldest() {
            guard let oldest = order.popFirst(), let messages = transcripts.removeValue(forKey: oldest) else { return }
            bytes -= ContextStore.size(messages)
        }
    }

    /// With what a message takes besides its text.
    private static func size(_ messages: [Message]) -> Int { messages.reduce(0) { $0 + 400 + $1.content.utf8.count } }

    /// A number alone could be guessed, or passed on: it opens a conversation only together with the key of the client that had it.
    private struct Key: Hashable {
        var client: String?
        var id: Int
    }

    private let state = Mutex(State())

    /// Numbers for a conversation that is about to go on. Positive and below 2³¹, which every client's integers hold.
    func next() -> Int { Int.random(in: 1..<Int(Int32.max)) }

    /// - Parameter client: The name of its key; nil where there are no keys.
    func transcript(_ context: [Int], of client: String?) -> [Message] {
        guard context.count == 1 else { return [] }
        return state.withLock { $0.transcripts[Key(client: client, id: context[0])] ?? [] }
    }

    func store(_ messages: [Message], as id: Int, of client: String?) {
        let size = Self.size(messages)
        guard size <= Self.mostBytes else { return }
        let key = Key(client: client, id: id)
        state.withLock { state in
            // The number was drawn at random, and may be another's.
            guard state.transcripts[key] == nil else { return }
            state.transcripts[key] = messages
            state.order.append(key)
            state.bytes += size
            while state.order.count > Self.mostTranscripts || state.bytes > Self.mostBytesOfAll { state.dropOldest() }
        }
    }
}
