/// Counts and clocks of one answer, and from them the final line's figures.
struct AnswerMeter: Sendable {
    var usage = TokenUsage()
    private(set) var deltas = 0
    private let received: AnswerMoment
    private var sent: AnswerMoment?
    private var firstDelta: AnswerMoment?
    private var lastDelta: AnswerMoment?

    init(requestReceived: AnswerMoment) { received = requestReceived }

    mutating func requestSent(at moment: AnswerMoment) { sent = moment }

    /// Notes a delta that carried something.
    mutating func delta(at moment: AnswerMoment) {
        deltas &+= 1
        if firstDelta == nil { firstDelta = moment }
        lastDelta = moment
    }

    /// Fills in counts and durations, every one at least 1, because clients divide by them.
    ///
    /// Load, prompt and answer never add up to more than the total.
    func measure(_ summary: inout AnswerSummary, at moment: AnswerMoment, promptBytes: Int) {
        summary.deltas = deltas
        summary.isEstimated = usage.promptTokens == nil || usage.answerTokens == nil
        summary.promptTokens = max(1, usage.promptTokens ?? promptBytes / 4)
        summary.answerTokens = max(1, usage.answerTokens ?? deltas)
        summary.cachedTokens = usage.cachedTokens

        let sent = sent ?? received
        let first = firstDelta ?? moment
        var prompt = first.since(sent)
        var answer = (lastDelta ?? moment).since(first)
        if firstDelta == lastDelta {
            // The answer came at once, whole or in chunks that one packet held, so nobody saw where reading the prompt ended. A token written costs about ten read.
            let weight = Double(summary.promptTokens) + 10 * Double(summary.answerTokens)
            let share = 10 * Double(summary.answerTokens) / weight
            answer = share < 1 ? Int64(Double(prompt) * share) : prompt
            prompt -= answer
        }
        summary.loadDuration = max(1, sent.since(received))
        summary.promptDuration = max(1, usage.promptDuration ?? prompt)
        summary.answerDuration = max(1, usage.answerDuration ?? answer)
        // The upstream's own times come from another clock and may exceed what we saw.
        let parts = [summary.promptDuration, summary.answerDuration].reduce(summary.loadDuration) { sum, part in
            let (total, overflow) = sum.addingReportingOverflow(part)
            return overflow ? .max : total
        }
        summary.totalDuration = max(parts, moment.since(received))
    }
}
