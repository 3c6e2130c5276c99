/// Gathers from an answer what its provider wants back later.
struct EchoCollector: Sendable {
    /// The most reasoning of one answer that is gathered. Of more nothing is kept: half a signed text is worth less than none.
    static let largest = 256 << 10

    let parts: EchoParts
    private var details: [JSONObject] = []
    private var thinking: [UInt8] = []
    private var text = TrimmedHash()
    private var cost = 0

    /// Returns nil if nothing is wanted.
    init?(_ parts: EchoParts) {
        guard !parts.isEmpty else { return nil }
        self.parts = parts
    }

    private var isTooLarge: Bool { cost > Self.largest }

    mutating func take(_ kind: TextKind, _ piece: some Collection<UInt8>) {
        switch kind {
        case .content:
            if !parts.isDisjoint(with: [.details, .thinking]) { text.take(piece) }
        case .thinking:
            guard parts.contains(.thinking), !isTooLarge else { return }
            cost += piece.count
            thinking += piece
        }
    }

    /// Takes the `reasoning_details` of one chunk: pieces of a text are put together, as the provider would have sent it whole.
    mutating func take(details value: JSONValue?) {
        guard parts.contains(.details), let pieces = value?.array, !pieces.isEmpty else { return }
        for piece in pieces.compactMap(\.object) where !isTooLarge {
            cost += JSONWriter.bytes(.object(piece)).count
            guard let last = details.last, let joined = Self.join(last, piece) else {
                details.append(piece)
                continue
            }
            details[details.count - 1] = joined
        }
    }

    /// - Returns: nil if the second is no continuation of the first.
    private static func join(_ first: JSONObject, _ second: JSONObject) -> JSONObject? {
        let keys = ["reasoning.text": "text", "reasoning.summary": "summary"]
        // No provider's have a dozen; the search for each is through all of them.
        guard max(first.members.count, second.members.count) <= 64, first["type"] == second["type"], first["index"] == second["index"],
            let key = first["type"]?.string.flatMap({ keys[$0] })
        else {
            return nil
        }
        var joined = first
        for member in second.members where member.value != .null {
            if member.key == key, case .string(let more) = member.value {
                guard case .string(let text)? = first[key] else {
                    joined[key] = member.value
                    continue
                }
                joined[key] = .string(JSONText(utf8: text.utf8 + more.utf8))
            } else {
                joined[member.key] = member.value
            }
        }
        return joined
    }

    /// - Returns: nil if there is nothing to remember.
    func finish(_ calls: [AnswerToolCall]) -> AnswerEcho? {
        var echo = AnswerEcho()
        echo.text = text.value
        echo.calls = calls.map { call in
            let extra = parts.contains(.callExtras) ? call.extraContent : nil
            return ToolCall(id: call.id, name: call.name, arguments: .object(call.arguments), extraContent: extra)
        }
        if !isTooLarge {
            echo.details = details.map(JSONValue.object)
            if !calls.isEmpty, !thinking.isEmpty { echo.thinking = JSONText(utf8: thinking[...]) }
        }
        let isEmpty = echo.details.isEmpty && echo.thinking == nil && echo.calls.allSatisfy { $0.extraContent == nil }
        return isEmpty ? nil : echo
    }
}
