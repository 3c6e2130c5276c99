/// Ollama's options as upstream fields. Only what the client set is sent; what an upstream has no word for is left out.
struct OptionMapping {
    let options: GenerationOptions
    let model: ResolvedModel

    private var dialect: Dialect { model.dialect }
    /// False for models that think and take only the default sampling.
    private var sampling: Bool { dialect.samplingOnReasoning || !model.capabilities.thinking }

    /// Appends the fields in a stable order.
    ///
    /// - Parameter maxTokensField: As the endpoint calls the limit on new tokens.
    func apply(to fields: inout JSONObject, maxTokensField: String) {
        // -1 is Ollama's "no limit", -2 "fill the context", 0 nothing: none has a counterpart.
        if let limit = options.numPredict, limit > 0 { fields[maxTokensField] = .integer(limit) }
        if let temperature = options.temperature, sampling || temperature == 1 {
            fields["temperature"] = Self.number(min(max(temperature, 0), dialect.maxTemperature))
        }
        if let topP = options.topP, topP > 0, sampling || topP >= 1 { fields["top_p"] = Self.number(min(topP, 1)) }
        if let seed = options.seed, seed >= 0, let field = dialect.seedField { fields[field] = .integer(seed) }
        let stop = options.stop.prefix(dialect.maxStop)
        if !stop.isEmpty { fields["stop"] = .array(stop.map(JSONValue.text)) }
        applyPenalties(&fields)
        applyExtensions(&fields)
    }

    private func applyPenalties(_ fields: inout JSONObject) {
        guard dialect.penalties, sampling else { return }
        if let value = options.presencePenalty, value != 0 { fields["presence_penalty"] = Self.number(min(max(value, -2), 2)) }
        if let value = options.frequencyPenalty, value != 0 { fields["frequency_penalty"] = Self.number(min(max(value, -2), 2)) }
    }

    /// Samplers beyond OpenAI's, under the name this upstream gives them. `repeat_penalty` multiplies and is never sent as
    /// `frequency_penalty`, which adds.
    private func applyExtensions(_ fields: inout JSONObject) {
        if let topK = options.topK { extend("top_k", .integer(topK), &fields) }
        if let minP = options.minP { extend("min_p", Self.number(minP), &fields) }
        if let typicalP = options.typicalP { extend("typical_p", Self.number(typicalP), &fields) }
        if let penalty = options.repeatPenalty { extend("repeat_penalty", Self.number(penalty), &fields) }
        if let lastN = options.repeatLastN { extend("repeat_last_n", .integer(lastN), &fields) }
        if let mirostat = options.mirostat { extend("mirostat", .integer(mirostat), &fields) }
        if let tau = options.mirostatTau { extend("mirostat_tau", Self.number(tau), &fields) }
        if let eta = options.mirostatEta { extend("mirostat_eta", Self.number(eta), &fields) }
    }

    private func extend(_ option: String, _ value: JSONValue, _ fields: inout JSONObject) {
        if let field = dialect.extensions[option] { fields[field] = value }
    }

    private static func number(_ value: Double) -> JSONValue { .number(JSONNumber(value)) }
}
