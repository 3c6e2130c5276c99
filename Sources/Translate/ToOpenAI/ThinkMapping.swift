/// `think` in the words of each upstream. Absent sends nothing: the model's own default rules.
struct ThinkMapping {
    let think: ThinkSetting
    let model: ResolvedModel

    private var dialect: Dialect { model.dialect }

    /// Appends what is to be said. `false` for a model that cannot think says nothing, because it must never fail.
    func apply(to fields: inout JSONObject) {
        guard model.capabilities.thinking else { return }
        switch dialect.think {
        case .none: break
        case .effort: fields["reasoning_effort"] = effort(think).map(JSONValue.text)
        case .openRouter: fields["reasoning"] = openRouter(think)
        case .template: fields["chat_template_kwargs"] = template(think)
        case .toggle: fields["thinking"] = ["type": .text(think.isTruthy ? "enabled" : "disabled")]
        case .enableThinking: fields["enable_thinking"] = .bool(think.isTruthy)
        case .budget: applyBudget(think, &fields)
        }
    }

    private func effort(_ think: ThinkSetting) -> String? {
        switch think {
        case .off: dialect.effortOff
        case .on: dialect.effortOn
        case .effort(.max): dialect.effortMax
        case .effort(let level): level.rawValue
        }
    }

    private func openRouter(_ think: ThinkSetting) -> JSONValue {
        switch think {
        case .off: ["enabled": false]
        case .on: ["enabled": true]
        case .effort: ["effort": .text(effort(think) ?? "high")]
        }
    }

    /// Qwen's templates read `enable_thinking`, DeepSeek's `thinking`, gpt-oss `reasoning_effort`; each ignores the others'.
    private func template(_ think: ThinkSetting) -> JSONValue {
        var arguments: JSONObject = ["enable_thinking": .bool(think.isTruthy), "thinking": .bool(think.isTruthy)]
        if case .effort = think { arguments["reasoning_effort"] = effort(think).map(JSONValue.text) }
        return .object(arguments)
    }

    /// A budget must be at least 1,024 tokens, stay below the token limit, and goes with default sampling only.
    private func applyBudget(_ think: ThinkSetting, _ fields: inout JSONObject) {
        let wanted: Int
        switch think {
        case .off: return
        case .effort(.low): wanted = 1024
        case .on, .effort(.medium): wanted = 4096
        case .effort(.high): wanted = 16_384
        case .effort(.max): wanted = 32_000
        }
        let limit = fields[dialect.maxTokensField]?.number?.integer
        let budget = min(wanted, limit.map { $0 / 2 } ?? wanted)
        guard budget >= 1024 else { return }
        fields["thinking"] = ["type": "enabled", "budget_tokens": .integer(budget)]
        if limit == nil { fields[dialect.maxTokensField] = .integer(budget + 8192) }
        for key in ["temperature", "top_p"] { fields[key] = nil }
    }
}
