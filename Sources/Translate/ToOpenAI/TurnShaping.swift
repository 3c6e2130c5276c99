/// Steps that bring turns into the order and roles an upstream takes. Each is a list in, a list out.
enum TurnShaping {
    /// Pictures may stand only on user messages: those of other roles move to a user message behind, with a text that points back.
    ///
    /// Runs after tool results are in place, so that a picture never stands between a call and its result.
    static func movingPicturesToUsers(_ turns: [Turn]) -> [Turn] {
        guard turns.indices.contains(where: { turns[$0].role != .user && !turns[$0].pictures.isEmpty }) else { return turns }
        var output: [Turn] = []
        var pending = Turn(role: .user)
        var sources: [String] = []
        for (index, var turn) in turns.enumerated() {
            if turn.role != .user, !turn.pictures.isEmpty {
                pending.pictures += turn.pictures
                turn.pictures = []
                sources.append(pointer(turn))
                if turn.role == .tool, turn.text.isEmpty { turn.text = "[image]" }
            }
            output.append(turn)
            let isFollowedByResult = index + 1 < turns.count && turns[index + 1].role == .tool
            guard !pending.pictures.isEmpty, !isFollowedByResult else { continue }
            let noun = pending.pictures.count == 1 ? "Image" : "Images"
            pending.text = JSONText("\(noun) from \(sources.joined(separator: ", ")):")
            pending.hasOwnText = true
            output.append(pending)
            pending = Turn(role: .user)
            sources = []
        }
        return output
    }

    private static func pointer(_ turn: Turn) -> String {
        switch turn.role {
        case .tool: turn.toolName.map { "the result of \($0)" } ?? "the tool result"
        case .assistant: "the assistant's message above"
        default: "the system message"
        }
    }

    /// Some clients send one turn's text and pictures as two user messages; they become one again, text first.
    static func joiningSplitTurns(_ turns: [Turn]) -> [Turn] {
        joining(turns) { $0.role == .user && $1.role == .user && !($0.hasOwnText && $1.hasOwnText) }
    }

    /// For upstreams where user and assistant must alternate.
    static func alternating(_ turns: [Turn]) -> [Turn] {
        joining(turns) { $0.role == $1.role && ($0.role == .user || $0.role == .assistant) && $0.calls.isEmpty }
    }

    static func joining(_ turns: [Turn], where belong: (Turn, Turn) -> Bool) -> [Turn] {
        guard turns.indices.dropFirst().contains(where: { belong(turns[$0 - 1], turns[$0]) }) else { return turns }
        var output: [Turn] = []
        for turn in turns {
            // In place: a copy for each turn would take a time that grows with the square of their number.
            if let last = output.indices.last, belong(output[last], turn) {
                output[last].append(turn)
            } else {
                output.append(turn)
            }
        }
        return output
    }

    /// Assistant and system messages with nothing in them are refused by several upstreams.
    static func droppingEmpty(_ turns: [Turn]) -> [Turn] {
        guard turns.indices.contains(where: { turns[$0].text.isEmpty && turns[$0].isRefusedAsEmpty }) else { return turns }
        return turns.filter { !$0.isRefusedAsEmpty }
    }

    /// One system message at the beginning, where the upstream's templates want it so.
    static func placingSystem(_ turns: [Turn], dialect: Dialect) -> [Turn] {
        var turns = turns
        if !dialect.developerRole {
            for index in turns.indices where turns[index].role == .developer { turns[index].role = .system }
        }
        guard dialect.system == .first else { return turns }
        let systems = turns.filter { $0.role == .system || $0.role == .developer }
        guard var first = systems.first else { return turns }
        for more in systems.dropFirst() { first.append(more.text) }
        return [first] + turns.filter { $0.role != .system && $0.role != .developer }
    }

    /// Adds a line to the system message at the beginning, or makes one.
    static func addingInstruction(_ line: String, to turns: [Turn]) -> [Turn] {
        var turns = turns
        if let first = turns.first, first.role == .system || first.role == .developer {
            turns[0].append(JSONText(line))
        } else {
            turns.insert(Turn(role: .system, text: JSONText(line)), at: 0)
        }
        return turns
    }

    /// Calls and results as plain text, for upstreams that refuse them when the request offers no tools.
    static func flatteningTools(_ turns: [Turn]) -> [Turn] {
        turns.map { turn in
            var turn = turn
            if turn.role == .tool {
                let head = "[Result of \(turn.toolName ?? "tool")]\n"
                var flat = Turn(role: .user, text: JSONText(head + turn.text.string))
                flat.pictures = turn.pictures
                return flat
            }
            for call in turn.calls {
                turn.append(JSONText("[Called \(call.name) with \(String(decoding: JSONWriter.bytes(call.arguments), as: UTF8.self))]"))
            }
            turn.calls = []
            return turn
        }
    }
}

extension Turn {
    fileprivate var isRefusedAsEmpty: Bool { role != .user && role != .tool && text.isEmpty && calls.isEmpty && pictures.isEmpty }
}
