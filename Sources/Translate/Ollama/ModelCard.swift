/// The answer of `POST /api/show`.
extension ModelListing {
    /// Every string field is there, even when empty, and `model_info` and `capabilities` always: clients' decoders require them.
    ///
    /// - Parameter requestedName: As the client asked; VS Code shows it as the model's name.
    public static func show(_ item: Item, requestedName: String) -> [UInt8] {
        let model = item.model
        var card: JSONObject = [
            "license": "", "modelfile": .text(modelfile(model)), "parameters": .text(parameters(model)),
            "template": .text(template(model)), "system": "", "details": details(model, withLengths: false),
            "model_info": .object(info(model, requestedName: requestedName)), "capabilities": capabilities(model),
            "modified_at": .text(item.modifiedAt),
        ]
        if model.capabilities.vision { card["projector_info"] = ["general.architecture": "clip", "clip.has_vision_encoder": true] }
        return JSONWriter.bytes(.object(card))
    }

    /// One of the two places where clients look for the window they may use.
    private static func parameters(_ model: ResolvedModel) -> String {
        let name = "num_ctx"
        return name + String(repeating: " ", count: 31 - name.utf8.count) + "\(model.contextLength)"
    }

    private static func modelfile(_ model: ResolvedModel) -> String {
        "FROM \(model.upstreamID)\nPARAMETER num_ctx \(model.contextLength)\n"
    }

    /// Old clients look into the template for what a model can do: `.Tools`, and `.Suffix` for filling gaps.
    private static func template(_ model: ResolvedModel) -> String {
        var template = "{{ if .System }}{{ .System }}\n{{ end }}"
        if model.capabilities.tools { template += "{{ if .Tools }}{{ .Tools }}\n{{ end }}" }
        template += "{{ .Prompt }}"
        if model.capabilities.insert { template += "{{ if .Suffix }}{{ .Suffix }}{{ end }}" }
        return template
    }

    /// Exactly one key contains `context_length`: some clients take the first they meet, others the architecture's.
    private static func info(_ model: ResolvedModel, requestedName: String) -> JSONObject {
        let architecture = model.details.family
        var info: JSONObject = [
            "general.architecture": .text(architecture), "general.basename": .text(requestedName),
            "general.parameter_count": .integer(parameterCount(model.details.parameterSize)),
            "general.type": "model",
        ]
        info["\(architecture).context_length"] = .integer(model.contextLength)
        info["\(architecture).embedding_length"] = .integer(model.details.embeddingLength ?? 4096)
        if model.capabilities.vision { info["\(architecture).vision.block_count"] = 24 }
        return info
    }

    /// `8.0B` as a number; never 0, which some clients read as missing.
    private static func parameterCount(_ size: String) -> Int {
        let digits = size.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let value = Double(digits), value > 0, value < 1e6 else { return 1 }
        let factor: Double
        switch size.dropFirst(digits.count).uppercased() {
        case "K": factor = 1e3
        case "M": factor = 1e6
        case "B": factor = 1e9
        case "T": factor = 1e12
        default: factor = 1
        }
        return max(1, Int((value * factor).rounded()))
    }
}
