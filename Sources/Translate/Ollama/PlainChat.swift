extension InferenceRequest {
    /// Reads a body of `/api/chat` in which nothing calls for a tree: messages of a role and a text each. Tools, pictures and calls, a key twice or
    /// in capitals, mistakes: all that gives nil, and ``chat(_:)`` reads the body.
    ///
    /// - Parameter range: Where the body is. Long texts stay where they are.
    public static func plainChat(_ bytes: [UInt8], in range: Range<Int>) -> InferenceRequest? {
        var reader = PlainChatReader(bytes, in: range)
        return reader.read(bytes.span.extracting(range))
    }
}

/// Steps over a chat's bytes once, in any order of keys. Every step returns false where the general path must decide.
private struct PlainChatReader {
    /// More is left to the general path, whose limits on structure then hold.
    private static let largest = 1 << 18

    private let bytes: [UInt8]
    private let offset: Int
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

    init(_ bytes: [UInt8], in range: Range<Int>) {
        self.bytes = bytes
        offset = range.lowerBound
    }

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

    private mutating func isFirst(_ key: Keys) -> Bool {
        defer { met.formUnion(key) }
        return !met.contains(key)
    }

    private mutating func member(_ name: Span<UInt8>, _ body: Span<UInt8>) -> Bool {
        switch name.count {
        case 5 where name.starts(with: "model"): isFirst(.model) && model(body)
        case 6 where name.starts(with: "stream"): isFirst(.stream) && stream(body)
        case 8 where name.starts(with: "messages"): isFirst(.messages) && messages(body)
        case 7 where name.starts(with: "options"):
            isFirst(.options)
                && value(body) { request, json in
                    guard let options = json.object else { return false }
                    request.options = try GenerationOptions.decode(options)
                    return true
                }
        case 10 where name.starts(with: "keep_alive"):
            isFirst(.keepAlive)
                && value(body) { request, json in
                    request.keepAlive = try KeepAlive.decode(json)
                    return true
                }
        case 5 where name.starts(with: "think"):
            isFirst(.think)
                && value(body) { request, json in
                    request.think = try ThinkSetting.decode(json)
                    return true
                }
        case 6 where name.starts(with: "format"):
            isFirst(.format)
                && value(body) { request, json in
                    request.format = try AnswerFormat.decode(json)
                    return true
                }
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
                guard met.insert(.role).inserted, let text = cursor.string(body), !text.hasEscapes else { return false }
                role = Message.role(body.extracting(text.range))
            case 7 where name.starts(with: "content"):
                guard met.insert(.content).inserted else { return false }
                if cursor.null(body) { continue }
                guard let text = cursor.string(body), let value = value(of: text, body) else { return false }
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

    private func value(of text: JSONCursor.Text, _ body: Span<UInt8>) -> JSONText? {
        if !text.hasEscapes, text.isASCII || (try? UTF8Span(validating: body.extracting(text.range))) != nil {
            return JSONText(utf8: slice(text.range))
        }
        let quoted = Array(slice(text.range.lowerBound - 1..<text.range.upperBound + 1))
        guard case .string(let text)? = try? JSONParser.parse(quoted, rule: .repair) else { return nil }
        return text
    }

    /// Takes a value that the general parser reads, unless it is null.
    private mutating func value(_ body: Span<UInt8>, _ take: (inout InferenceRequest, JSONValue) throws -> Bool) -> Bool {
        if cursor.null(body) { return true }
        let start = cursor.position
        guard cursor.skip(body), let json = try? JSONParser.parse(Array(slice(start..<cursor.position)), rule: .repair) else {
            return false
        }
        return (try? take(&request, json)) ?? false
    }

    private func slice(_ range: Range<Int>) -> ArraySlice<UInt8> { bytes[offset + range.lowerBound..<offset + range.upperBound] }
}
