/// What of an answer is to be remembered, and by what it is found again.
///
/// Ollama's clients send an answer back as content and tool calls; some leave out the calls' ids, some the thinking, all of them what they do
/// not know. So a call is found by its id or else by its function and arguments; a message by the id of its first call or else by the
/// question, how many answers there were since, its text and its calls.
public struct AnswerEcho: Sendable, Equatable {
    var calls: [ToolCall] = []
    var details: [JSONValue] = []
    var thinking: JSONText?
    var text: UInt64 = 0

    /// One thing to remember, under each of its keys.
    public struct Entry: Sendable {
        /// Hashes; meaningful only for one upstream model and one client.
        public var keys: [UInt64]
        /// What is to go back.
        public var value: Remembered
    }

    /// What to remember of this answer.
    ///
    /// - Parameter place: Where it stands in its chat.
    public func entries(at place: EchoPlace) -> [Entry] {
        var entries: [Entry] = calls.compactMap { call in
            guard let extra = call.extraContent else { return nil }
            return Entry(keys: EchoKey.call(call), value: Remembered(extraContent: extra.inItsOwnBytes))
        }
        if !details.isEmpty || thinking != nil {
            let keys = EchoKey.message(calls: calls, text: text, at: place)
            entries.append(Entry(keys: keys, value: Remembered(details: details.map(\.inItsOwnBytes), thinking: thinking)))
        }
        return entries
    }
}

extension InferenceRequest {
    /// The request with what is remembered of earlier answers put back into its messages, where the client has not sent it itself.
    public func recalling(_ parts: EchoParts, from memory: (UInt64) -> Remembered?) -> InferenceRequest {
        guard !parts.isEmpty, messages.indices.contains(where: { messages[$0].role == .assistant }) else { return self }
        var request = self
        var place = EchoPlace()
        for index in messages.indices {
            defer { place.pass(messages[index]) }
            guard messages[index].role == .assistant else { continue }
            let calls = messages[index].toolCalls
            for (position, call) in calls.enumerated() where parts.contains(.callExtras) && call.extraContent == nil {
                request.messages[index].toolCalls[position].extraContent = EchoKey.call(call).firstMap(memory)?.extraContent
            }
            // Thinking is remembered only with calls, which spares most messages the search.
            guard parts.contains(.details) || (parts.contains(.thinking) && !calls.isEmpty) else { continue }
            let text = TrimmedHash.of(messages[index].content.utf8)
            guard let found = EchoKey.message(calls: calls, text: text, at: place).firstMap(memory) else { continue }
            if parts.contains(.details) { request.messages[index].reasoningDetails = found.details }
            if parts.contains(.thinking), messages[index].thinking == nil { request.messages[index].thinking = found.thinking }
        }
        return request
    }
}

extension JSONValue {
    /// The same value. Its strings are parts of the answer it came with, which would otherwise be kept whole.
    fileprivate var inItsOwnBytes: JSONValue { (try? JSONParser.parse(JSONWriter.bytes(self))) ?? self }
}

extension [UInt64] {
    fileprivate func firstMap(_ memory: (UInt64) -> Remembered?) -> Remembered? {
        for key in self {
            if let value = memory(key) { return value }
        }
        return nil
    }
}

/// Where an answer stands in its chat: after which question, as which answer to it.
public struct EchoPlace: Sendable {
    private(set) var question = TrimmedHash.ofNothing
    private(set) var answers = 0

    /// The beginning of a chat.
    init() {}

    /// The place of the answer to a request.
    public init(answering request: borrowing InferenceRequest) {
        let last = request.messages.indices.last { request.messages[$0].role == .user } ?? 0
        for index in last..<request.messages.endIndex { pass(request.messages[index]) }
    }

    /// Goes on behind a message.
    mutating func pass(_ message: Message) {
        switch message.role {
        case .user:
            question = TrimmedHash.of(message.content.utf8)
            answers = 0
        case .assistant: answers += 1
        default: break
        }
    }
}

/// The keys under which parts of answers are remembered, the surest first.
enum EchoKey {
    static func call(_ call: ToolCall) -> [UInt64] {
        let byContent = ToolIdentifiers.hash(["call", "\(call.fingerprint)"])
        return call.id.map { [ToolIdentifiers.hash(["call id", $0, call.name]), byContent] } ?? [byContent]
    }

    static func message(calls: [ToolCall], text: UInt64, at place: EchoPlace) -> [UInt64] {
        var keys: [UInt64] = []
        if let first = calls.first, let id = first.id { keys.append(ToolIdentifiers.hash(["message of", id, first.name])) }
        // A message of nothing could be any.
        guard !calls.isEmpty || text != TrimmedHash.ofNothing else { return keys }
        let parts = ["message", "\(place.question)", "\(place.answers)", "\(text)"]
        keys.append(ToolIdentifiers.hash(parts + calls.map { "\($0.fingerprint)" }))
        return keys
    }
}

/// FNV-1a over text that comes in pieces, without the white space around it, which some clients cut off.
struct TrimmedHash: Sendable {
    static let ofNothing = TrimmedHash().value

    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325
    private var hasBegun = false
    /// With the white space that counts only if something follows.
    private var running: UInt64 = 0xCBF2_9CE4_8422_2325

    static func of(_ text: ArraySlice<UInt8>) -> UInt64 {
        let text = text.span
        var start = 0
        var end = text.count
        while start < end, text[start] <= 0x20 { start += 1 }
        while end > start, text[end - 1] <= 0x20 { end -= 1 }
        var hash = TrimmedHash()
        for index in start..<end { hash.mix(text[index]) }
        return hash.running
    }

    mutating func take(_ text: some Sequence<UInt8>) {
        for byte in text {
            let isBlank = byte <= 0x20
            guard hasBegun || !isBlank else { continue }
            hasBegun = true
            mix(byte)
            if !isBlank { value = running }
        }
    }

    private mutating func mix(_ byte: UInt8) { running = (running ^ UInt64(byte)) &* 0x100_0000_01B3 }
}
