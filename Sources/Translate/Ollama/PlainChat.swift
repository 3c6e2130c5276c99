extension InferenceRequest {
    /// Reads a body of `/api/chat` in which nothing calls for a tree: messages of a role and a text each. Tools, pictures and calls, a key twice or
    /// in capitals, mistakes: all that gives nil, and ``chat(_:)`` reads the body.
    ///
    /// Texts stay where they are, as slices of the body.
    public static func plainChat(_ body: ArraySlice<UInt8>) -> InferenceRequest? {
        var reader = PlainChatReader(body)
        return reader.read(body.span)
    }
}

/// Steps over a chat's bytes once, in any order of keys. Every step returns false where the general path must decide.
private struct PlainChatReader {
    /// More is left to the general path, whose limits on structure then hold.
    private static let largest = 1 << 18

    private let bytes: ArraySlice<UInt8>
    private var cursor = JSONCursor()
    private var request = InferenceRequest(shape: .chat, model: "")
    private var met: Keys = []

    private struct Keys: OptionSet {
        let rawValue: UInt32
        static let model = Keys(rawValue: 1)
        static let stream = Keys(rawValue: 2)
        static let messages = Keys(rawValue: 4)
        static let options = Keys(rawValue: 8)
        static let keepAlive = Keys(rawValue: 16)
        static let think = Keys(rawValue: 32)
        static let format = Keys(rawValue: 64)
    }

    private struct MessageKeys: OptionSet {
        let rawValue: UInt32
        static let role = MessageKeys(rawValue: 1)
        static let content = MessageKeys(rawValue: 2)
    }

    private struct NotPlain: Error {}

    init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    mutating func read(_ body: Span<UInt8>) -> InferenceRequest? {
        guard body.count <= Self.largest, cursor.take(UInt8(ascii: "{"), body) else { return nil }
        repeat {
            guard let name = key(body), member(body.extracting(name), body) else { return nil }
        } while cursor.take(UInt8(ascii: ","), body)
        return cursor.take(UInt8(ascii: "}"), body) ? request : nil
    }

    /// A key that means the same in any case, for it has none: Ollama does not look at the case of keys.
    private mutating func key(_ body: Span<UInt8>) -> Range<Int>? {
        guard let key = cursor.string(body), !key.hasEscapes, key.isASCII, cursor.take(UInt8(ascii: ":"), body) else { return nil }
        for index in key.range where body[index] &- UInt8(ascii: "A") < 26 { return nil }
        return key.range
    }

    private mutating func member(_ name: Span<UInt8>, _ body: Span<UInt8>) -> Bool {
        switch name.count {
        case 5 where name.starts(with: "model"): met.isFirst(.model) && model(body)
        case 6 where name.starts(with: "stream"): met.isFirst(.stream) && stream(body)
        case 8 where name.starts(with: "messages"): met.isFirst(.messages) && messages(body)
        case 7 where name.starts(with: "options"):
            met.isFirst(.options)
                && value(body) { request, json in
                    guard let options = json.object else { throw NotPlain() }
                    request.options = try GenerationOptions.decode(options)
                }
        case 10 where name.starts(with: "keep_alive"): met.isFirst(.keepAlive) && value(body) { $0.keepAlive = try KeepAlive.decode($1) }
        case 5 where name.starts(with: "think"): met.isFirst(.think) && value(body) { $0.think = try ThinkSetting.decode($1) }
        case 6 where name.starts(with: "format"): met.isFirst(.format) && value(body) { $0.format = try AnswerFormat.decode($1) }
        case 5 where name.starts(with: "tools"), 6 where name.starts(with: "images"), 8 where name.starts(with: "logprobs"),
            12 where name.starts(with: "top_logprobs"):
            cursor.null(body)
        default: cursor.skip(body)
        }
    }

    private mutating func model(_ body: Span<UInt8>) -> Bool {
        guard let name = cursor.string(body), !name.hasEscapes, name.isASCII else { return false }
        request.model = String(decoding: slice(name.range), as: UTF8.self)
        return true
    }

    private mutating func stream(_ body: Span<UInt8>) -> Bool {
        if cursor.null(body) { return true }
        guard let stream = cursor.bool(body) else { return false }
        request.stream = stream
        return true
    }

    private mutating func messages(_ body: Span<UInt8>) -> Bool {
        guard cursor.take(UInt8(ascii: "["), body) else { return false }
        if cursor.take(UInt8(ascii: "]"), body) { return true }
        repeat {
            guard message(body) else { return false }
        } while cursor.take(UInt8(ascii: ","), body)
        return cursor.take(UInt8(ascii: "]"), body)
    }

    private mutating func message(_ body: Span<UInt8>) -> Bool {
        guard cursor.take(UInt8(ascii: "{"), body) else { return false }
        var role = Message.Role.user
        var content: JSONText = ""
        var met: MessageKeys = []
        repeat {
            guard let range = key(body) else { return false }
            let name = body.extracting(range)
            switch name.count {
            case 4 where name.starts(with: "role"):
                guard met.isFirst(.role), let text = cursor.string(body), !text.hasEscapes else { return false }
                role = Message.role(body.extracting(text.range))
            case 7 where name.starts(with: "content"):
                guard met.isFirst(.content) else { return false }
                if cursor.null(body) { continue }
                guard let text = cursor.string(body), let value = text.value(of: bytes) else { return false }
                content = value
            case 4 where name.starts(with: "name"), 6 where name.starts(with: "images"), 8 where name.starts(with: "thinking"),
                9 where name.starts(with: "tool_name"), 10 where name.starts(with: "tool_calls"),
                12 where name.starts(with: "tool_call_id"):
                guard cursor.null(body) else { return false }
            default:
                guard cursor.skip(body) else { return false }
            }
        } while cursor.take(UInt8(ascii: ","), body)
        request.messages.append(Message(role: role, content: content))
        return cursor.take(UInt8(ascii: "}"), body)
    }

    /// Takes a value that the general parser reads, unless it is null.
    private mutating func value(_ body: Span<UInt8>, _ take: (inout InferenceRequest, JSONValue) throws -> Void) -> Bool {
        if cursor.null(body) { return true }
        let start = cursor.position
        guard cursor.skip(body), let json = try? JSONParser.parse(Array(slice(start..<cursor.position)), rule: .repair) else {
            return false
        }
        return (try? take(&request, json)) != nil
    }

    private func slice(_ range: Range<Int>) -> ArraySlice<UInt8> {
        bytes[bytes.startIndex + range.lowerBound..<bytes.startIndex + range.upperBound]
    }
}
