/// The calls of one turn that have no result yet. Each is found in a time that does not grow with their number.
struct UnansweredCalls {
    /// Positions of calls in their order.
    private struct Row {
        var calls: [Int] = []
        /// How many of the first are known to be answered.
        var answered = 0

        mutating func first(_ isAnswered: [Bool]) -> Int? {
            while answered < calls.count, isAnswered[calls[answered]] { answered += 1 }
            return answered < calls.count ? calls[answered] : nil
        }
    }

    private var isAnswered: [Bool]
    private var all: Row
    private var byID: [String: Row] = [:]
    private var byName: [String: Row] = [:]

    init(_ calls: [Turn.Call]) {
        isAnswered = .init(repeating: false, count: calls.count)
        all = Row(calls: Array(calls.indices))
        for (position, call) in calls.enumerated() {
            if let id = call.clientID { byID[id, default: Row()].calls.append(position) }
            byName[call.name, default: Row()].calls.append(position)
        }
    }

    /// Takes the call that a result answers: by its id, else by its function's name, else the first there is.
    ///
    /// - Returns: The call's position; nil if there is none.
    mutating func take(_ result: Turn) -> Int? {
        let call = call(of: result)
        if let call { isAnswered[call] = true }
        return call
    }

    private mutating func call(of result: Turn) -> Int? {
        if let id = result.callID, let first = byID[id]?.calls.first {
            // A second result for the same call joins the first.
            return byID[id]?.first(isAnswered) ?? first
        }
        if let name = result.toolName, let call = byName[name]?.first(isAnswered) { return call }
        return all.first(isAnswered)
    }
}
