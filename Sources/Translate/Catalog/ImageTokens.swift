/// What a picture costs in tokens, by each provider's published formula. Estimates: providers change them, and only the bill is exact.
public enum ImageTokens {
    /// - Parameters:
    ///   - width: Pixels of the picture that is sent.
    ///   - height: Pixels of the picture that is sent.
    ///   - detail: OpenAI's `detail`; nil counts as `auto`, which is `high` for all but tiny pictures.
    ///   - dialect: The dialect's name.
    ///   - model: The upstream's name of the model.
    /// - Returns: nil where no formula is published.
    public static func estimate(width: Int, height: Int, detail: String?, dialect: String, model: String) -> Int? {
        guard width > 0, height > 0 else { return nil }
        switch dialect {
        case "google": return cropped(width, height)
        case "openrouter" where model.contains("gemini"): return cropped(width, height)
        case "anthropic", "bedrock": return area(width, height)
        case "openrouter" where model.contains("claude"): return area(width, height)
        case "openai", "azure", "openrouter": return tiled(width, height, detail: detail, isMini: model.contains("4o-mini"))
        case "vllm", "llamacpp", "lmstudio", "ollama": return patches(width, height)
        default: return nil
        }
    }

    /// OpenAI's tile models: fit into 2,048², shortest side to 768, then 512² tiles.
    private static func tiled(_ width: Int, _ height: Int, detail: String?, isMini: Bool) -> Int {
        let (base, perTile) = isMini ? (2833, 5667) : (85, 170)
        if detail == "low" { return base }
        var (width, height) = (Double(width), Double(height))
        let fit = min(1, 2048 / max(width, height))
        (width, height) = (width * fit, height * fit)
        let shrink = min(1, 768 / min(width, height))
        (width, height) = (width * shrink, height * shrink)
        return base + perTile * Int((width / 512).rounded(.up)) * Int((height / 512).rounded(.up))
    }

    /// Gemini: 258 tokens for a small picture, else 258 for each tile of 768².
    private static func cropped(_ width: Int, _ height: Int) -> Int {
        if width <= 384, height <= 384 { return 258 }
        return 258 * ((width + 767) / 768) * ((height + 767) / 768)
    }

    /// Claude: width × height ÷ 750 after shrinking to 1,568 pixels on the long edge.
    private static func area(_ width: Int, _ height: Int) -> Int {
        let fit = min(1, 1568 / Double(max(width, height)))
        return max(1, Int(Double(width) * fit * Double(height) * fit / 750))
    }

    /// Models of the Qwen-VL kind: one token for each 28² pixels.
    private static func patches(_ width: Int, _ height: Int) -> Int {
        max(1, (width + 27) / 28) * max(1, (height + 27) / 28)
    }
}
