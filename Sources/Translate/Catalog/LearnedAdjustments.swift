/// What earlier refusals taught about one model of one upstream.
public struct LearnedAdjustments: Sendable, Equatable {
    /// Parameters that are no longer sent.
    public private(set) var dropped: Set<String> = []
    /// Parameters that go by another name.
    public private(set) var renamed: [String: String] = [:]
    /// Parameters with a value that must be another one: parameter, refused value, value to send.
    public private(set) var replaced: [String: [String: String]] = [:]
    /// Values with which a parameter is not sent.
    public private(set) var leftOut: [String: [JSONValue]] = [:]
    /// JSON Schemas go into the prompt, beside `json_object`.
    public private(set) var schemaInPrompt = false
    /// Assistant messages that call tools carry `reasoning_content`.
    public private(set) var echoesReasoning = false
    /// Assistant messages carry no earlier reasoning.
    public private(set) var hidesReasoning = false
    /// Tool calls whose thought signature is not known carry a stand-in.
    public private(set) var standsInForSignatures = false

    public init() {}

    public var isEmpty: Bool {
        dropped.isEmpty && renamed.isEmpty && replaced.isEmpty && leftOut.isEmpty && !schemaInPrompt && !echoesReasoning && !hidesReasoning
            && !standsInForSignatures
    }

    /// One lesson from one refusal.
    public enum Adjustment: Sendable, Equatable {
        case drop(String)
        case rename(String, to: String)
        case replace(parameter: String, value: String, with: String)
        case leaveOut(String, value: JSONValue)
        case schemaInPrompt
        case echoReasoning
        case hideReasoning
        case standInForSignatures
    }

    public mutating func apply(_ adjustment: Adjustment) {
        switch adjustment {
        case .drop(let name):
            dropped.insert(name)
            // Nobody takes the one without the other.
            if name == "logprobs" { dropped.insert("top_logprobs") }
        case .rename(let name, let other): renamed[name] = other
        case .replace(let name, let value, let other): replaced[name, default: [:]][value] = other
        case .leaveOut(let name, let value):
            leftOut[name, default: []].append(value)
            // There are but a few words for thinking; numbers have no end.
            if leftOut[name, default: []].count > 8 { dropped.insert(name) }
        case .schemaInPrompt: schemaInPrompt = true
        case .echoReasoning: echoesReasoning = true
        case .hideReasoning: hidesReasoning = true
        case .standInForSignatures: standsInForSignatures = true
        }
    }

    /// The fields of a request with everything learned applied.
    func adjusted(_ fields: JSONObject) -> JSONObject {
        if isEmpty { return fields }
        var output = JSONObject()
        for member in fields.members {
            let key = renamed[member.key] ?? member.key
            if dropped.contains(key) || dropped.contains(member.key) || leftOut[member.key]?.contains(member.value) == true { continue }
            var value = member.value
            if let word = value.string, let other = replaced[member.key]?[word] { value = .text(other) }
            output[key] = value
        }
        return output
    }
}
