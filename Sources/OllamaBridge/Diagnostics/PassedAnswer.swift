import Translate

/// Reads along while an answer passes, line by line: the upstream's token counts and, if wanted, the text.
struct PassedAnswer: Sendable {
    let record: RequestRecord
    /// Token counts of our own lines are known already.
    let readsUsage: Bool
    private var line: [UInt8] = []

    /// A longer line is passed on all the same but not understood.
    private static let longestLine = 4 << 20
    private static let usage = Array(#""usage""#.utf8)

    init(record: RequestRecord, readsUsage: Bool) {
        self.record = record
        self.readsUsage = readsUsage
    }

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

    mutating func finish() { if reads { endLine() } }

    private mutating func endLine() {
        defer { line.removeAll(keepingCapacity: true) }
        let hasUsage = readsUsage && line.firstRange(of: Self.usage) != nil
        guard hasUsage || record.keepsText, let start = line.firstIndex(of: UInt8(ascii: "{")) else { return }
        guard let object = try? JSONParser.parse(Array(line[start...])).object else { return }
        if hasUsage, let usage = object["usage"]?.object {
            record.note { facts in
                facts.promptTokens = usage["prompt_tokens"]?.number?.integer ?? facts.promptTokens
                facts.answerTokens = usage["completion_tokens"]?.number?.integer ?? facts.answerTokens
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
