/// A whole answer, or a chunk, in which nothing calls for a tree: at most one choice, its texts, why it ended, and how many tokens it took.
///
/// Found by stepping over the bytes once, in any order of keys. Tool calls, errors, content in parts, structured reasoning, a key twice, an
/// escaped key: all that gives nil, and the general path reads the bytes.
struct PlainReply {
    /// Larger ones are left to the general path, whose limits on structure then hold.
    static let largest = 1 << 18

    private(set) var id: JSONCursor.Text?
    private(set) var usage = TokenUsage()
    private(set) var reasoning: JSONCursor.Text?
    private(set) var content: JSONCursor.Text?
    private(set) var finishReason: JSONCursor.Text?

    private let skipsLogprobs: Bool
    private var cursor = JSONCursor()
    /// The keys met so far that must not come twice.
    private var met: Keys = []

    private struct Keys: OptionSet {
        let rawValue: UInt32
        static let id = Keys(rawValue: 1)
        static let choices = Keys(rawValue: 2)
        static let message = Keys(rawValue: 4)
        static let content = Keys(rawValue: 8)
        static let reasoning = Keys(rawValue: 16)
        static let otherReasoning = Keys(rawValue: 32)
        static let finishReason = Keys(rawValue: 64)
        static let usage = Keys(rawValue: 128)
        static let promptTokens = Keys(rawValue: 256)
        static let answerTokens = Keys(rawValue: 512)
        static let details = Keys(rawValue: 1024)
        static let cachedTokens = Keys(rawValue: 2048)
    }

    /// - Parameter skipsLogprobs: Nobody asked for them.
    init?(_ bytes: Span<UInt8>, skipsLogprobs: Bool) {
        guard bytes.count <= Self.largest else { return nil }
        self.skipsLogprobs = skipsLogprobs
        guard object(bytes, { reply, name in reply.member(name, bytes) }), met.contains(.choices), cursor.isAtEnd(bytes)
        else { return nil }
    }

    /// Takes an object, its members' values by `member`.
    @inline(__always)
    private mutating func object(_ bytes: Span<UInt8>, _ member: (inout PlainReply, Span<UInt8>) -> Bool) -> Bool {
        guard cursor.take(UInt8(ascii: "{"), bytes) else { return false }
        if cursor.take(UInt8(ascii: "}"), bytes) { return true }
        repeat {
            guard let key = cursor.string(bytes), !key.hasEscapes, cursor.take(UInt8(ascii: ":"), bytes) else { return false }
            guard member(&self, bytes.extracting(key.range)) else { return false }
        } while cursor.take(UInt8(ascii: ","), bytes)
        return cursor.take(UInt8(ascii: "}"), bytes)
    }

    private mutating func member(_ name: Span<UInt8>, _ bytes: Span<UInt8>) -> Bool {
        switch name.count {
        case 2 where name.starts(with: "id"): met.isFirst(.id) && Self.word(&cursor, bytes, into: &id)
        case 7 where name.starts(with: "choices"): met.isFirst(.choices) && choices(bytes)
        case 5 where name.starts(with: "usage"):
            met.isFirst(.usage) && (cursor.null(bytes) || object(bytes) { reply, name in reply.count(name, bytes) })
        case 5 where name.starts(with: "error"), 7 where name.starts(with: "timings"), 6 where name.starts(with: "x_groq"):
            cursor.null(bytes)
        default: cursor.skip(bytes)
        }
    }

    private mutating func choices(_ bytes: Span<UInt8>) -> Bool {
        guard cursor.take(UInt8(ascii: "["), bytes) else { return false }
        if cursor.take(UInt8(ascii: "]"), bytes) { return true }
        return object(bytes) { reply, name in reply.choice(name, bytes) } && cursor.take(UInt8(ascii: "]"), bytes)
    }

    private mutating func choice(_ name: Span<UInt8>, _ bytes: Span<UInt8>) -> Bool {
        switch name.count {
        case 5 where name.starts(with: "delta"), 7 where name.starts(with: "message"):
            met.isFirst(.message) && object(bytes) { reply, name in reply.part(name, bytes) }
        case 5 where name.starts(with: "index"): cursor.digits(bytes) == 0
        case 13 where name.starts(with: "finish_reason"):
            met.isFirst(.finishReason) && Self.word(&cursor, bytes, into: &finishReason) && !isError(finishReason, bytes)
        case 8 where name.starts(with: "logprobs"): skipsLogprobs ? cursor.skip(bytes) : cursor.null(bytes)
        case 5 where name.starts(with: "error"): cursor.null(bytes)
        default: !UpstreamFailure.isTold(inChoice: name) && cursor.skip(bytes)
        }
    }

    private func isError(_ reason: JSONCursor.Text?, _ bytes: Span<UInt8>) -> Bool {
        reason.map { bytes.extracting($0.range).starts(with: "error") } ?? false
    }

    private mutating func part(_ name: Span<UInt8>, _ bytes: Span<UInt8>) -> Bool {
        switch name.count {
        case 7 where name.starts(with: "content"): met.isFirst(.content) && Self.text(&cursor, bytes, into: &content)
        case 9 where name.starts(with: "reasoning"): met.isFirst(.otherReasoning) && Self.text(&cursor, bytes, into: &reasoning)
        case 17 where name.starts(with: "reasoning_content"): met.isFirst(.reasoning) && Self.text(&cursor, bytes, into: &reasoning)
        case 17 where name.starts(with: "reasoning_details"), 10 where name.starts(with: "tool_calls"):
            cursor.null(bytes) || cursor.take(UInt8(ascii: "["), bytes) && cursor.take(UInt8(ascii: "]"), bytes)
        case 7 where name.starts(with: "refusal"), 13 where name.starts(with: "function_call"): cursor.null(bytes)
        default: cursor.skip(bytes)
        }
    }

    private mutating func count(_ name: Span<UInt8>, _ bytes: Span<UInt8>) -> Bool {
        switch name.count {
        case 13 where name.starts(with: "prompt_tokens"):
            met.isFirst(.promptTokens) && Self.count(&cursor, bytes, into: &usage.promptTokens)
        case 17 where name.starts(with: "completion_tokens"):
            met.isFirst(.answerTokens) && Self.count(&cursor, bytes, into: &usage.answerTokens)
        case 21 where name.starts(with: "prompt_tokens_details"):
            met.isFirst(.details) && (cursor.null(bytes) || object(bytes) { reply, name in reply.detail(name, bytes) })
        // Other names for the same counts.
        case 12 where name.starts(with: "input_tokens"), 13 where name.starts(with: "output_tokens"): false
        case 20 where name.starts(with: "input_tokens_details"), 23 where name.starts(with: "prompt_cache_hit_tokens"): false
        default: cursor.skip(bytes)
        }
    }

    private mutating func detail(_ name: Span<UInt8>, _ bytes: Span<UInt8>) -> Bool {
        guard name.count == 13, name.starts(with: "cached_tokens") else { return cursor.skip(bytes) }
        return met.isFirst(.cachedTokens) && Self.count(&cursor, bytes, into: &usage.cachedTokens)
    }

    private static func count(_ cursor: inout JSONCursor, _ bytes: Span<UInt8>, into place: inout Int?) -> Bool {
        if cursor.null(bytes) { return true }
        place = cursor.digits(bytes)
        return place != nil
    }

    /// A string, noted unless it is empty, or null. Two that are not empty are for the general path, which compares them.
    private static func text(_ cursor: inout JSONCursor, _ bytes: Span<UInt8>, into place: inout JSONCursor.Text?) -> Bool {
        if cursor.null(bytes) { return true }
        guard let text = cursor.string(bytes) else { return false }
        if text.range.isEmpty { return true }
        defer { place = text }
        return place == nil
    }

    /// A string that stands for itself, noted unless it is empty, or null.
    private static func word(_ cursor: inout JSONCursor, _ bytes: Span<UInt8>, into place: inout JSONCursor.Text?) -> Bool {
        text(&cursor, bytes, into: &place) && place?.hasEscapes != true && place?.isASCII != false
    }
}
