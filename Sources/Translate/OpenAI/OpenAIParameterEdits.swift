/// What earlier refusals of an upstream change in a body that passes through: top-level parameters left out, renamed, or with another value.
struct OpenAIParameterEdits {
    /// What goes in the place of which bytes; in order and without overlap.
    private(set) var replacements: [(range: Range<Int>, bytes: [UInt8])] = []
    /// The parameters that are sent and that a refusal may teach something about. A `response_format` is not among them: an answer that
    /// silently ignores it is worse than an error.
    private(set) var sent: [String] = []

    init(_ members: [JSONSpans.Member], of body: [UInt8], _ adjustments: LearnedAdjustments) {
        let keys = Set(members.map(\.key))
        var kept: JSONSpans.Member?
        for (index, member) in members.enumerated() {
            guard let key = adjustments.name(of: member.key), key == member.key || !keys.contains(key) else {
                leaveOut(member, at: index, of: members, lastKept: kept)
                continue
            }
            if key != member.key { replacements.append((member.keyRange, JSONWriter.bytes(.text(key)))) }
            if let value = adjustments.value(of: member.key, insteadOf: body[member.value]) {
                replacements.append((member.value, JSONWriter.bytes(.text(value))))
            }
            if key != "response_format" { sent.append(key) }
            kept = member
        }
    }

    /// Takes out a member with the comma behind it, or before it where it is the last.
    private mutating func leaveOut(
        _ member: JSONSpans.Member, at index: Int, of members: [JSONSpans.Member], lastKept: JSONSpans.Member?
    ) {
        if index + 1 < members.count {
            replacements.append((member.keyRange.lowerBound..<members[index + 1].keyRange.lowerBound, []))
            return
        }
        let start = lastKept?.value.upperBound ?? member.keyRange.lowerBound
        // What was taken out just before this one lies in the same range.
        replacements.removeAll { $0.range.lowerBound >= start }
        replacements.append((start..<member.value.upperBound, []))
    }
}

extension LearnedAdjustments {
    /// What a parameter is to be called; nil if it is not to be sent.
    fileprivate func name(of parameter: String) -> String? {
        let name = renamed[parameter] ?? parameter
        return dropped.contains(name) || dropped.contains(parameter) ? nil : name
    }

    /// The value that one word of a parameter has to give way to.
    fileprivate func value(of parameter: String, insteadOf json: ArraySlice<UInt8>) -> String? {
        guard let words = replaced[parameter], let word = (try? JSONParser.parse(Array(json)))?.string else { return nil }
        return words[word]
    }
}
