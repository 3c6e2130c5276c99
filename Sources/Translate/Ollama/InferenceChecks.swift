extension InferenceRequest {
    /// What the model cannot do, in the order Ollama checks it. Call it for every request whose ``work`` is not unload, before a load
    /// is answered: clients probe with an empty chat.
    ///
    /// - Throws: The capability's exact text; for pictures also what can be known to be wrong with those of the newest turn.
    public func check(against model: ResolvedModel) throws(OllamaFailure) {
        if let generate, generate.raw, generate.system != nil || generate.template != nil || !generate.context.isEmpty {
            throw .badRequest("raw mode does not support template, system, or context")
        }
        if think?.isTruthy == true, !model.capabilities.thinking { throw .noThinking(self.model) }
        if !model.capabilities.completion {
            throw .doesNotSupport(shape == .chat ? "chat" : "generate", model: self.model)
        }
        var missing: [String] = []
        if !tools.isEmpty, !model.capabilities.tools { missing.append("tools") }
        if generate?.suffix != nil, !model.capabilities.insert { missing.append("insert") }
        if !missing.isEmpty { throw .lacks(missing, model: self.model) }
        if messages.indices.contains(where: { !messages[$0].images.isEmpty }), work == .answer { _ = try imageTreatments(for: model) }
    }

    /// What is to be done with each picture, per message and in order.
    ///
    /// - Throws: The first picture of the newest turn that cannot go to this model, with its position.
    public func imageTreatments(for model: ResolvedModel) throws(OllamaFailure) -> [[ImageTreatment]] {
        let start = newestTurnStart
        var items: [ImagePlan.Item] = []
        var positions: [(message: Int, image: Int)] = []
        for (index, message) in messages.enumerated() {
            for (image, source) in message.images.enumerated() {
                items.append(ImagePlan.Item(source: source, isInNewestTurn: index >= start))
                positions.append((index, image))
            }
        }
        var treatments = messages.map { _ in [ImageTreatment]() }
        for (position, treatment) in zip(positions, ImagePlan.decide(items, model: model, requestedName: self.model)) {
            if case .refuse(let fault) = treatment {
                throw fault.failure(message: clientPosition(ofMessage: position.message), image: position.image)
            }
            treatments[position.message].append(treatment)
        }
        return treatments
    }
}
