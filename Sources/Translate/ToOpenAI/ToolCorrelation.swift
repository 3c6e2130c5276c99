/// Puts every tool result directly behind the call it answers, because upstreams refuse anything else.
///
/// Results are matched by id, then by function name, then by position, within the assistant turn before them. A result without a call gets
/// one, a call without a result gets a placeholder, and what stood between a call and its result moves behind it.
struct ToolCorrelation {
    static let missingResult: JSONText = "[no result]"

    private let form: Dialect.ToolIDForm
    private var output: [Turn] = []

    static func apply(_ turns: [Turn], form: Dialect.ToolIDForm) -> [Turn] {
        guard turns.indices.contains(where: { !turns[$0].calls.isEmpty || turns[$0].role == .tool }) else { return turns }
        var correlation = ToolCorrelation(form: form)
        correlation.run(joiningAssistants(turns))
        return correlation.output
    }

    private init(form: Dialect.ToolIDForm) { self.form = form }

    /// Clients that store each streamed call as a message of its own send several assistant messages in a row; they are one turn.
    private static func joiningAssistants(_ turns: [Turn]) -> [Turn] {
        TurnShaping.joining(turns) { $0.role == .assistant && $1.role == .assistant && !($0.calls.isEmpty && $1.calls.isEmpty) }
    }

    private mutating func run(_ turns: [Turn]) {
        var index = 0
        while index < turns.count {
            var head: Turn?
            if turns[index].role == .assistant {
                head = turns[index]
                index += 1
            }
            let end = turns[index...].firstIndex { $0.role == .assistant } ?? turns.count
            emit(head, followedBy: turns[index..<end])
            index = end
        }
    }

    /// One assistant turn (or the beginning of the chat) with everything up to the next.
    private mutating func emit(_ head: Turn?, followedBy turns: ArraySlice<Turn>) {
        guard var head else { return emitRest(turns[...]) }
        guard !head.calls.isEmpty else { return emitRest([head] + turns) }
        giveIDs(&head)
        var answers = [Turn?](repeating: nil, count: head.calls.count)
        var unanswered = UnansweredCalls(head.calls)
        var rest: [Turn] = []
        for turn in turns {
            guard turn.role == .tool, let call = unanswered.take(turn) else {
                rest.append(turn)
                continue
            }
            if answers[call] == nil {
                answers[call] = turn
            } else {
                answers[call]?.append(turn)
            }
        }
        output.append(head)
        for (call, answer) in zip(head.calls, answers) {
            var result = answer ?? Turn(role: .tool, text: Self.missingResult)
            result.callID = call.id
            result.toolName = call.name
            output.append(result)
        }
        emitRest(rest[...])
    }

    /// What answers no call: results among it get a call of their own, on the assistant message before them where that is free.
    private mutating func emitRest(_ turns: ArraySlice<Turn>) {
        var index = turns.startIndex
        while index < turns.endIndex {
            guard turns[index].role == .tool else {
                output.append(turns[index])
                index += 1
                continue
            }
            let end = turns[index...].firstIndex { $0.role != .tool } ?? turns.endIndex
            let orphans = turns[index..<end]
            var head = Turn(role: .assistant)
            if let last = output.last, last.role == .assistant, last.calls.isEmpty { head = output.removeLast() }
            head.calls = orphans.map { Turn.Call(id: "", clientID: $0.callID, name: $0.toolName ?? "tool", arguments: [:]) }
            giveIDs(&head)
            output.append(head)
            for (call, orphan) in zip(head.calls, orphans) {
                var result = orphan
                result.callID = call.id
                result.toolName = call.name
                output.append(result)
            }
            index = end
        }
    }

    /// Every call of one turn gets an id of its own that the upstream takes.
    private func giveIDs(_ turn: inout Turn) {
        var used: Set<String> = []
        for index in turn.calls.indices {
            let call = turn.calls[index]
            var id = call.clientID.map { ToolIdentifiers.id($0, form: form) } ?? derived(call, index)
            if used.contains(id) { id = derived(call, index) }
            used.insert(id)
            turn.calls[index].id = id
        }
    }

    private func derived(_ call: Turn.Call, _ index: Int) -> String {
        ToolIdentifiers.id(turn: output.count, call: index, name: call.name, arguments: call.arguments, form: form)
    }
}
