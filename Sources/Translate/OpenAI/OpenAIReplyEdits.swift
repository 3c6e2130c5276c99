/// Where an OpenAI answer or chunk has to be changed on its way through: the model's name, and reasoning under its other name.
struct OpenAIReplyEdits {
    /// Whether there is a choice, so that the stream is one that ends with a reason.
    private(set) var hasChoice = false
    /// Whether a finish reason is named: nothing is missing if the stream ends after it.
    private(set) var isEnd = false
    /// Whether there is something that may be an error's report.
    private(set) var mayReportError = false
    /// Whether there are choices or vectors: what has neither may be an error in one of its odder shapes.
    private var isAnswer = false
    /// The value of the top-level `model`, quotes included.
    private var model: Range<Int>?
    /// Reasoning strings, quotes included, that come under one name only; in order.
    private var mirrors: [Mirror] = []

    private struct Mirror {
        var value: Range<Int>
        var name: StaticString
    }

    private let mirrorsReasoning: Bool
    private var cursor = JSONCursor()

    /// Returns nil if the bytes are no object that can be stepped through; they then go on as they are.
    init?(_ bytes: Span<UInt8>, mirrorsReasoning: Bool) {
        self.mirrorsReasoning = mirrorsReasoning
        guard object(bytes) else { return nil }
    }

    /// Appends the bytes with the changes made.
    ///
    /// - Parameter name: The model's name as a JSON string, quotes included.
    func apply(to bytes: Span<UInt8>, name: [UInt8], output: inout [UInt8]) {
        var position = 0
        var modelIsDue = model
        for mirror in mirrors {
            if let model = modelIsDue, model.lowerBound < mirror.value.lowerBound {
                replace(model, by: name, in: bytes, from: &position, output: &output)
                modelIsDue = nil
            }
            output.append(copying: bytes.extracting(position..<mirror.value.upperBound))
            position = mirror.value.upperBound
            output.append(contentsOf: ",\"\(mirror.name)\":".utf8)
            output.append(copying: bytes.extracting(mirror.value))
        }
        if let model = modelIsDue { replace(model, by: name, in: bytes, from: &position, output: &output) }
        output.append(copying: bytes.extracting(position..<bytes.count))
    }

    private func replace(
        _ range: Range<Int>, by name: [UInt8], in bytes: Span<UInt8>, from position: inout Int, output: inout [UInt8]
    ) {
        output.append(copying: bytes.extracting(position..<range.lowerBound))
        output.append(contentsOf: name)
        position = range.upperBound
    }

    private mutating func object(_ bytes: Span<UInt8>) -> Bool {
        guard cursor.take(UInt8(ascii: "{"), bytes) else { return false }
        if cursor.take(UInt8(ascii: "}"), bytes) { return true }
        repeat {
            guard let key = cursor.string(bytes), cursor.take(UInt8(ascii: ":"), bytes) else { return false }
            let name = bytes.extracting(key.range)
            isAnswer = isAnswer || name.count == 7 && name.starts(with: "choices") || name.count == 4 && name.starts(with: "data")
            if name.count == 5, name.starts(with: "model"), cursor.peek(bytes) == UInt8(ascii: "\"") {
                guard let value = cursor.string(bytes) else { return false }
                model = value.range.lowerBound - 1..<value.range.upperBound + 1
            } else if name.count == 7, name.starts(with: "choices"), cursor.peek(bytes) == UInt8(ascii: "[") {
                guard choices(bytes) else { return false }
            } else if name.count == 5, name.starts(with: "error"), cursor.peek(bytes) != UInt8(ascii: "n") {
                mayReportError = true
                guard cursor.skip(bytes) else { return false }
            } else {
                guard cursor.skip(bytes) else { return false }
            }
        } while cursor.take(UInt8(ascii: ","), bytes)
        if !isAnswer { mayReportError = true }
        return cursor.take(UInt8(ascii: "}"), bytes)
    }

    private mutating func choices(_ bytes: Span<UInt8>) -> Bool {
        guard cursor.take(UInt8(ascii: "["), bytes) else { return false }
        if cursor.take(UInt8(ascii: "]"), bytes) { return true }
        repeat {
            guard choice(bytes) else { return false }
        } while cursor.take(UInt8(ascii: ","), bytes)
        return cursor.take(UInt8(ascii: "]"), bytes)
    }

    private mutating func choice(_ bytes: Span<UInt8>) -> Bool {
        hasChoice = true
        guard cursor.take(UInt8(ascii: "{"), bytes) else { return false }
        if cursor.take(UInt8(ascii: "}"), bytes) { return true }
        repeat {
            guard let key = cursor.string(bytes), cursor.take(UInt8(ascii: ":"), bytes) else { return false }
            let name = bytes.extracting(key.range)
            if name.count == 13, name.starts(with: "finish_reason"), cursor.peek(bytes) == UInt8(ascii: "\"") {
                guard let reason = cursor.string(bytes) else { return false }
                isEnd = isEnd || !reason.range.isEmpty
                continue
            }
            if name.count == 5, name.starts(with: "error"), cursor.peek(bytes) != UInt8(ascii: "n") { mayReportError = true }
            let isMessage = name.count == 5 && name.starts(with: "delta") || name.count == 7 && name.starts(with: "message")
            let isRead = isMessage && mirrorsReasoning && cursor.peek(bytes) == UInt8(ascii: "{")
            guard isRead ? message(bytes) : cursor.skip(bytes) else { return false }
        } while cursor.take(UInt8(ascii: ","), bytes)
        return cursor.take(UInt8(ascii: "}"), bytes)
    }

    /// A delta or a message: notes its reasoning if it has only one of the two names.
    private mutating func message(_ bytes: Span<UInt8>) -> Bool {
        guard cursor.take(UInt8(ascii: "{"), bytes) else { return false }
        if cursor.take(UInt8(ascii: "}"), bytes) { return true }
        var reasoning: Range<Int>?
        var hasBoth = false
        var isLongName = false
        repeat {
            guard let key = cursor.string(bytes), cursor.take(UInt8(ascii: ":"), bytes) else { return false }
            let name = bytes.extracting(key.range)
            let isLong = name.count == 17 && name.starts(with: "reasoning_content")
            guard isLong || name.count == 9 && name.starts(with: "reasoning") else {
                guard cursor.skip(bytes) else { return false }
                continue
            }
            hasBoth = hasBoth || reasoning != nil
            guard cursor.peek(bytes) == UInt8(ascii: "\"") else {
                // Null under one name beside text under the other: a second member of that name would only confuse.
                hasBoth = true
                guard cursor.skip(bytes) else { return false }
                continue
            }
            guard let value = cursor.string(bytes) else { return false }
            reasoning = value.range.lowerBound - 1..<value.range.upperBound + 1
            isLongName = isLong
        } while cursor.take(UInt8(ascii: ","), bytes)
        if let reasoning, !hasBoth { mirrors.append(Mirror(value: reasoning, name: isLongName ? "reasoning" : "reasoning_content")) }
        return cursor.take(UInt8(ascii: "}"), bytes)
    }
}
