/// A chunk that holds one piece of text and nothing else to act on: nearly all chunks of nearly all streams.
///
/// Found by stepping over the bytes once, in any order of keys. Whatever is unusual — a finish reason, tool calls, two texts, a key twice, an
/// escaped key, usage in detail — gives nil, and the general path reads the chunk.
struct UsualChunk {
    /// Larger chunks are left to the general path, whose limits on structure then hold.
    static let largest = 1 << 16

    var kind: TextKind
    /// The inside of the JSON string; never empty.
    var text: JSONCursor.Text
    /// What `usage` says, if it is there and says only how many: some upstreams count along in every chunk.
    var usage: TokenUsage?
    /// Whether there is structured reasoning beside the text.
    var hasDetails: Bool
    /// Whether it has nothing else that counts, and the text only once.
    private(set) var isPlain: Bool

    /// - Parameter skipsLogprobs: Nobody asked for them.
    init?(_ bytes: Span<UInt8>, skipsLogprobs: Bool) {
        guard bytes.count <= Self.largest else { return nil }
        var finder = Finder(skipsLogprobs: skipsLogprobs)
        guard finder.chunk(bytes) else { return nil }
        let reasoning = finder.reasoning ?? finder.otherReasoning
        if let first = finder.reasoning, let second = finder.otherReasoning,
            !JSONScan.equal(bytes.extracting(first.range), bytes.extracting(second.range))
        {
            return nil
        }
        switch (finder.content, reasoning) {
        case (let content?, nil) where !finder.hasDetails:
            kind = .content
            text = content
        case (nil, let reasoning?):
            kind = .thinking
            text = reasoning
        default: return nil
        }
        usage = finder.usage
        hasDetails = finder.hasDetails
        isPlain = usage == nil && !hasDetails && (finder.reasoning == nil || finder.otherReasoning == nil)
        guard Self.passes(text, bytes) else { return nil }
    }

    /// A plain one whose text has been found.
    init?(_ kind: TextKind, _ text: JSONCursor.Text, _ bytes: Span<UInt8>) {
        guard Self.passes(text, bytes) else { return nil }
        self.kind = kind
        self.text = text
        hasDetails = false
        isPlain = true
    }

    /// Whether the text can go on as it is.
    private static func passes(_ text: JSONCursor.Text, _ bytes: Span<UInt8>) -> Bool {
        !text.hasLoneSurrogate && text.isUTF8(in: bytes)
    }
}

/// Walks through one chunk and notes its texts. Every step returns false where the general path must decide.
private struct Finder {
    var content: JSONCursor.Text?
    var reasoning: JSONCursor.Text?
    var otherReasoning: JSONCursor.Text?
    /// Structured reasoning that would count if no string does.
    var hasDetails = false
    var usage: TokenUsage?

    private let skipsLogprobs: Bool
    private var cursor = JSONCursor()
    /// The keys met so far that must not come twice.
    private var met: Keys = []

    private struct Keys: OptionSet {
        let rawValue: UInt32
        static let choices = Keys(rawValue: 1)
        static let delta = Keys(rawValue: 2)
        static let content = Keys(rawValue: 4)
        static let reasoning = Keys(rawValue: 8)
        static let otherReasoning = Keys(rawValue: 16)
        static let usage = Keys(rawValue: 32)
        static let promptTokens = Keys(rawValue: 64)
        static let answerTokens = Keys(rawValue: 128)
    }

    init(skipsLogprobs: Bool) { self.skipsLogprobs = skipsLogprobs }

    mutating func chunk(_ bytes: Span<UInt8>) -> Bool {
        guard cursor.take(UInt8(ascii: "{"), bytes) else { return false }
        repeat {
            guard let key = cursor.string(bytes), !key.hasEscapes, cursor.take(UInt8(ascii: ":"), bytes) else { return false }
            let name = bytes.extracting(key.range)
            let fine =
                switch name.count {
                case 7 where name.starts(with: "choices"): met.isFirst(.choices) && choices(bytes)
                case 5 where name.starts(with: "error"): cursor.null(bytes)
                case 5 where name.starts(with: "usage"): met.isFirst(.usage) && (cursor.null(bytes) || usage(bytes))
                case 7 where name.starts(with: "timings"): cursor.null(bytes)
                case 6 where name.starts(with: "x_groq"): cursor.null(bytes)
                default: cursor.skip(bytes)
                }
            guard fine else { return false }
        } while cursor.take(UInt8(ascii: ","), bytes)
        return met.contains([.choices, .delta]) && cursor.take(UInt8(ascii: "}"), bytes) && cursor.isAtEnd(bytes)
    }

    /// Counts that are plain numbers, and nothing that holds more of them.
    private mutating func usage(_ bytes: Span<UInt8>) -> Bool {
        guard cursor.take(UInt8(ascii: "{"), bytes) else { return false }
        var found = TokenUsage()
        repeat {
            guard let key = cursor.string(bytes), !key.hasEscapes, cursor.take(UInt8(ascii: ":"), bytes) else { return false }
            let name = bytes.extracting(key.range)
            let fine =
                switch name.count {
                case 13 where name.starts(with: "prompt_tokens"):
                    met.isFirst(.promptTokens) && Self.count(&cursor, bytes, &found.promptTokens)
                case 17 where name.starts(with: "completion_tokens"):
                    met.isFirst(.answerTokens) && Self.count(&cursor, bytes, &found.answerTokens)
                case 12 where name.starts(with: "total_tokens"): cursor.digits(bytes) != nil
                default: cursor.null(bytes)
                }
            guard fine else { return false }
        } while cursor.take(UInt8(ascii: ","), bytes)
        usage = found
        return cursor.take(UInt8(ascii: "}"), bytes)
    }

    private static func count(_ cursor: inout JSONCursor, _ bytes: Span<UInt8>, _ place: inout Int?) -> Bool {
        place = cursor.digits(bytes)
        return place != nil
    }

    /// Exactly one choice.
    private mutating func choices(_ bytes: Span<UInt8>) -> Bool {
        guard cursor.take(UInt8(ascii: "["), bytes), cursor.take(UInt8(ascii: "{"), bytes) else { return false }
        repeat {
            guard let key = cursor.string(bytes), !key.hasEscapes, cursor.take(UInt8(ascii: ":"), bytes) else { return false }
            let name = bytes.extracting(key.range)
            let fine =
                switch name.count {
                case 5 where name.starts(with: "delta"): met.isFirst(.delta) && delta(bytes)
                case 5 where name.starts(with: "index"): zero(bytes)
                case 13 where name.starts(with: "finish_reason"): cursor.null(bytes)
                case 8 where name.starts(with: "logprobs"): skipsLogprobs ? cursor.skip(bytes) : cursor.null(bytes)
                case 5 where name.starts(with: "error"): cursor.null(bytes)
                default: !UpstreamFailure.isTold(inChoice: name) && cursor.skip(bytes)
                }
            guard fine else { return false }
        } while cursor.take(UInt8(ascii: ","), bytes)
        return cursor.take(UInt8(ascii: "}"), bytes) && cursor.take(UInt8(ascii: "]"), bytes)
    }

    private mutating func delta(_ bytes: Span<UInt8>) -> Bool {
        guard cursor.take(UInt8(ascii: "{"), bytes) else { return false }
        repeat {
            guard let key = cursor.string(bytes), !key.hasEscapes, cursor.take(UInt8(ascii: ":"), bytes) else { return false }
            let name = bytes.extracting(key.range)
            let fine =
                switch name.count {
                case 7 where name.starts(with: "content"): met.isFirst(.content) && Self.text(&cursor, bytes, into: &content)
                case 17 where name.starts(with: "reasoning_content"): met.isFirst(.reasoning) && Self.text(&cursor, bytes, into: &reasoning)
                case 9 where name.starts(with: "reasoning"):
                    met.isFirst(.otherReasoning) && Self.text(&cursor, bytes, into: &otherReasoning)
                case 17 where name.starts(with: "reasoning_details"): details(bytes)
                case 7 where name.starts(with: "refusal"): cursor.null(bytes)
                case 10 where name.starts(with: "tool_calls"): cursor.null(bytes) || emptyArray(bytes)
                case 13 where name.starts(with: "function_call"): cursor.null(bytes)
                default: cursor.skip(bytes)
                }
            guard fine else { return false }
        } while cursor.take(UInt8(ascii: ","), bytes)
        return cursor.take(UInt8(ascii: "}"), bytes)
    }

    /// A string, noted unless it is empty, or null.
    private static func text(_ cursor: inout JSONCursor, _ bytes: Span<UInt8>, into place: inout JSONCursor.Text?) -> Bool {
        if cursor.null(bytes) { return true }
        guard let text = cursor.string(bytes) else { return false }
        if !text.range.isEmpty { place = text }
        return true
    }

    private mutating func details(_ bytes: Span<UInt8>) -> Bool {
        if cursor.null(bytes) || emptyArray(bytes) { return true }
        hasDetails = true
        return cursor.skip(bytes)
    }

    private mutating func emptyArray(_ bytes: Span<UInt8>) -> Bool {
        let start = cursor.position
        if cursor.take(UInt8(ascii: "["), bytes), cursor.take(UInt8(ascii: "]"), bytes) { return true }
        cursor.position = start
        return false
    }

    /// The index 0, alone.
    private mutating func zero(_ bytes: Span<UInt8>) -> Bool {
        guard cursor.take(UInt8(ascii: "0"), bytes), let next = cursor.peek(bytes) else { return false }
        return next == UInt8(ascii: ",") || next == UInt8(ascii: "}")
    }
}
