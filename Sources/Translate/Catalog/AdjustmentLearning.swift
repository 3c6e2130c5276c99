extension LearnedAdjustments {
    /// What to change before trying once more, if the refusal says it.
    ///
    /// - Parameters:
    ///   - status: Only 400 and 422 teach anything.
    ///   - sent: The parameters of the refused request, so that an unrelated word in the text teaches nothing.
    ///   - values: Those of them that the bridge itself chose, with their values.
    public static func learn(status: Int, body: [UInt8], sent: Set<String>, values: JSONObject = [:]) -> Adjustment? {
        guard status == 400 || status == 422 else { return nil }
        let complaint = UpstreamComplaint(body)
        if let special = learnSpecial(complaint, sent) { return special }
        if let rename = learnRename(complaint, sent) { return rename }
        if let replacement = learnValue(complaint, sent, values) { return replacement }
        if complaint.saysUnsupported {
            // `temperature` and `top_p` are named together where only one may be sent; the first matters more to people.
            if complaint.has("cannot both"), sent.contains("top_p") { return .drop("top_p") }
            if let parameter = complaint.parameter(among: sent.subtracting(essential)) { return .drop(parameter) }
        }
        return learnThinking(complaint, values)
    }

    /// What a request cannot do without: an answer that silently ignores tools or a schema is worse than an error.
    private static let essential: Set<String> = ["model", "messages", "prompt", "input", "suffix", "stream", "tools", "response_format"]

    private static func learnSpecial(_ complaint: UpstreamComplaint, _ sent: Set<String>) -> Adjustment? {
        if complaint.has("reasoning_content"), complaint.has("missing") || complaint.has("must be") || complaint.has("required") {
            return .echoReasoning
        }
        if complaint.saysUnsupported, complaint.isAboutMessages, complaint.has("reasoning") { return .hideReasoning }
        if complaint.has("missing"), complaint.has("thought_signature") || complaint.has("thought signature") {
            return .standInForSignatures
        }
        let isAboutFormat = complaint.has("response_format") || complaint.has("json_schema") || complaint.has("json_object")
        guard isAboutFormat, sent.contains("response_format") else { return nil }
        if complaint.has("json_object"), complaint.has("must be") || !complaint.has("json_schema") { return .drop("response_format") }
        if complaint.has("must be"), complaint.has("'json_schema' or 'text'") { return .drop("response_format") }
        let isRefused = complaint.saysUnsupported || complaint.has("unavailable") || complaint.has("invalid schema")
        return isRefused ? .schemaInPrompt : nil
    }

    /// `Use 'max_completion_tokens' instead.`
    private static func learnRename(_ complaint: UpstreamComplaint, _ sent: Set<String>) -> Adjustment? {
        guard complaint.has("instead") else { return nil }
        for (old, new) in [("max_tokens", "max_completion_tokens"), ("max_completion_tokens", "max_tokens"), ("seed", "random_seed")]
        where sent.contains(old) && complaint.has("use '\(new)'") || sent.contains(old) && complaint.has("use `\(new)`") {
            return .rename(old, to: new)
        }
        return nil
    }

    /// `'reasoning_effort' does not support 'none' with this model. Supported values are: 'minimal', 'low' …`
    private static func learnValue(_ complaint: UpstreamComplaint, _ sent: Set<String>, _ values: JSONObject) -> Adjustment? {
        guard sent.contains("reasoning_effort"), complaint.has("reasoning_effort") else { return nil }
        let words = ["supported values", "must be one of", "should be"].flatMap(complaint.quotedWords)
        let ladders = [["none", "minimal", "low", "medium"], ["max", "xhigh", "high", "medium"], ["minimal", "low", "medium"]]
        let known = values["reasoning_effort"]?.string
        for ladder in ladders {
            for (index, refused) in ladder.enumerated()
            where known.map({ $0 == refused }) ?? complaint.has("does not support '\(refused)'") {
                guard let value = ladder.dropFirst(index + 1).first(where: words.contains) else { continue }
                return .replace(parameter: "reasoning_effort", value: refused, with: value)
            }
        }
        return nil
    }

    /// A model that always thinks or never does, or takes other words for it, has many ways to say so. How much it thinks is never worth an
    /// error to the client.
    private static func learnThinking(_ complaint: UpstreamComplaint, _ values: JSONObject) -> Adjustment? {
        for field in ["reasoning_effort", "reasoning", "thinking", "enable_thinking", "chat_template_kwargs"] {
            guard let value = values[field], complaint.has("reasoning") || complaint.has("think") else { continue }
            return .leaveOut(field, value: value)
        }
        return nil
    }
}

/// The words of a refusal, whatever shape its JSON has.
struct UpstreamComplaint {
    /// All text of the body in lower case, as far as anybody reads it.
    private let text: String
    private let bytes: [UInt8]
    private static let longest = 8 << 10
    /// Parameters named in fields of their own: `param`, and the last steps of FastAPI's `loc`.
    private var named: [String] = []

    init(_ body: [UInt8]) {
        var texts: [String] = []
        if let json = try? JSONParser.parse(Array(body.prefix(65_536)), rule: .repair) {
            Self.collect(json, depth: 0, texts: &texts, named: &named)
        } else {
            texts = [String(decoding: body.prefix(65_536), as: UTF8.self)]
        }
        text = String(decoding: texts.joined(separator: "\n").utf8.prefix(Self.longest), as: UTF8.self).lowercased()
        bytes = Array(text.utf8)
    }

    private static func collect(_ json: JSONValue, depth: Int, texts: inout [String], named: inout [String]) {
        guard depth < 8 else { return }
        switch json {
        case .string(let text):
            texts.append(text.string)
            // Routers put the provider's own error as JSON text inside theirs.
            if text.utf8.first == UInt8(ascii: "{"), let inner = try? JSONParser.parse(Array(text.utf8), rule: .repair) {
                collect(inner, depth: depth + 1, texts: &texts, named: &named)
            }
        case .array(let values):
            for value in values { collect(value, depth: depth + 1, texts: &texts, named: &named) }
        case .object(let object):
            if named.count > 20 { return }
            if let parameter = object["param"]?.string { named.append(parameter) }
            if let place = object["loc"]?.array, let parameter = place.first(where: { $0.string.map { $0 != "body" } ?? false })?.string {
                named.append(parameter)
            }
            for member in object.members { collect(member.value, depth: depth + 1, texts: &texts, named: &named) }
        default: break
        }
    }

    func has(_ word: String) -> Bool { bytes.span.contains(Array(word.utf8).span) }

    /// Whether the refusal is about something the upstream does not know or take at all, as opposed to a wrong value or too much of it.
    var saysUnsupported: Bool {
        [
            "unsupported", "not supported", "does not support", "unrecognized", "unknown", "extra inputs", "extra_forbidden",
            "not permitted",
            "unexpected", "cannot find field", "not allowed", "invalid parameter", "additional properties", "cannot both",
        ].contains(where: has)
    }

    private static let mostNames = 200

    /// Whether it is about something within a message.
    var isAboutMessages: Bool { named.contains { $0.hasPrefix("messages") } }

    /// The one of these parameters that the refusal is about.
    func parameter(among sent: Set<String>) -> String? {
        let names = sent.sorted { ($0.utf8.count, $0) > ($1.utf8.count, $1) }
        for parameter in named {
            let root = parameter.prefix { $0 != "." && $0 != "[" }
            if let match = names.first(where: { $0 == root }) { return match }
        }
        // Nobody sends that many and means them, and each is looked for in all of the text.
        guard names.count <= Self.mostNames else { return nil }
        return names.first { name in
            let forms = [name, Self.camelCase(name)].map { $0.lowercased() }
            return forms.contains { form in
                ["'\(form)'", "\"\(form)\"", "`\(form)`", ": \(form)", "\(form) is not", "\(form): extra", "parameter \(form)"].contains(
                    where: has)
            }
        }
    }

    /// The words in quotes of any kind behind a phrase, up to the end of the sentence's line.
    func quotedWords(after phrase: String) -> [String] {
        guard let range = text.firstRange(of: phrase) else { return [] }
        let rest = text[range.upperBound...].prefix { $0 != "\n" }
        return rest.split(omittingEmptySubsequences: false) { "'\"`".contains($0) }.enumerated().filter { $0.offset % 2 == 1 }.map {
            String($0.element)
        }
    }

    private static func camelCase(_ name: String) -> String {
        let parts = name.split(separator: "_")
        return parts.prefix(1).joined() + parts.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }
}
