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
        let penalties = [("presence_penalty", options.presencePenalty), ("frequency_penalty", options.frequencyPenalty)]
        for case (let name, let value?) in penalties where value != 0 { fields[name] = Self.number(min(max(value, -2), 2)) }
    }

    /// Samplers beyond OpenAI's, under the name this upstream gives them. `repeat_penalty` multiplies and is never sent as
    /// `frequency_penalty`, which adds.
    private func applyExtensions(_ fields: inout JSONObject) {
        let values: [(String, JSONValue?)] = [
            ("top_k", options.topK.map(JSONValue.integer)), ("min_p", options.minP.map(Self.number)),
            ("typical_p", options.typicalP.map(Self.number)), ("repeat_penalty", options.repeatPenalty.map(Self.number)),
            ("repeat_last_n", options.repeatLastN.map(JSONValue.integer)), ("mirostat", options.mirostat.map(JSONValue.integer)),
            ("mirostat_tau", options.mirostatTau.map(Self.number)), ("mirostat_eta", options.mirostatEta.map(Self.number)),
        ]
        for case (let name, let value?) in values {
            if let field = dialect.extensions[name] { fields[field] = value }
        }
    }

    private static func number(_ value: Double) -> JSONValue { .number(JSONNumber(value)) }
}
