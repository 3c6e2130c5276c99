import Translate

/// Reads along while an answer passes, line by line: token counts and, if wanted, the text.
struct PassedAnswer: Sendable {
    /// Where the token counts come from.
    enum Counts: Sendable {
        /// Those of our own lines are known already.
        case known
        /// The upstream's `usage`; where it reports none, this many for the prompt and one for every event of a stream or every four bytes
        /// of a body, unless the answer is `vectors`, which nobody counts.
        case read(promptEstimate: Int, vectors: Bool)
    }

    let record: RequestRecord
    let counts: Counts
    private var line: [UInt8] = []
    private var sawUsage = false
    private var events = 0
    private var bodyBytes = 0

    /// A longer line is passed on all the same but not understood.
    private static let longestLine = 4 << 20
    private static let usage = Array(#""usage""#.utf8)

    init(record: RequestRecord, counts: Counts) {
        self.record = record
        self.counts = counts
    }

    private var readsUsage: Bool { if case .read = counts { true } else { false } }
    private var reads: Bool { readsUsage || record.keepsText }

    mutating func push(_ bytes: [UInt8]) {
        guard reads else { return }
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                endLine()
            } else if line.count < Self.longestLine {
                line.append(byte)
            }
        }
    }

    /// - Parameter failed: The answer broke off, or was none.
    mutating func finish(failed: Bool = false) {
        guard reads else { return }
        endLine()
        guard case .read(let promptEstimate, let isVectors) = counts, !sawUsage, !failed || events > 1 else { return }
        let answer = isVectors ? 0 : max(1, events > 0 ? events : bodyBytes / 4)
        record.note { facts in
            facts.promptTokens = max(1, promptEstimate)
            facts.answerTokens = answer
            facts.tokensAreEstimated = true
        }
    }

    private mutating func endLine() {
        defer { line.removeAll(keepingCapacity: true) }
        if line.starts(with: "data:".utf8) { events += line.last == UInt8(ascii: "}") ? 1 : 0 } else { bodyBytes += line.count }
        let hasUsage = readsUsage && line.span.contains(Self.usage.span)
        guard hasUsage || record.keepsText, let start = line.firstIndex(of: UInt8(ascii: "{")) else { return }
        guard let object = try? JSONParser.parse(Array(line[start...])).object else { return }
        if hasUsage, let usage = object["usage"]?.object {
            let (prompt, answer) = (usage["prompt_tokens"]?.tokenCount, usage["completion_tokens"]?.tokenCount)
            sawUsage = sawUsage || prompt != nil || answer != nil
            record.note { facts in
                facts.promptTokens = prompt ?? facts.promptTokens
                facts.answerTokens = answer ?? facts.answerTokens
            }
        }
        if record.keepsText, let text = Self.text(of: object) { record.noteAnswer(text) }
    }

    private static func text(of object: JSONObject) -> String? {
        if let text = object["response"]?.string ?? object["message"]?.object?["content"]?.string { return text }
        let choice = object["choices"]?.array?.first?.object
        return choice?["delta"]?.object?["content"]?.string ?? choice?["message"]?.object?["content"]?.string ?? choice?["text"]?.string
    }
}
