extension FailureMapping {
    /// Complaints that clients know by a sentence of Ollama's, whatever the upstream's words.
    static func complaint(status: Int, _ upstream: UpstreamFailure, said: String?, context: FailureContext) -> OllamaFailure? {
        guard [200, 400, 403, 404, 415, 422, 500, 501].contains(status) else { return nil }
        let text = String(decoding: (said ?? "").utf8.prefix(longest), as: UTF8.self).lowercased()
        if context.requestHadImages, complainsOfImages(text) {
            return OllamaFailure(
                status: 400, error: "\(context.model) does not support vision", code: "UNSUPPORTED_CAPABILITY", detail: said)
        }
        if context.requestHadTools, complainsOfTools(text) {
            return OllamaFailure(
                status: 400, error: "\(context.model) does not support tools", code: "UNSUPPORTED_CAPABILITY", detail: said)
        }
        if status == 500 || status == 200 { return nil }
        if context.isEmbedding {
            if complainsOfLength(text, upstream.code) {
                return OllamaFailure(status: 400, error: "the input length exceeds the context length", detail: said)
            }
            if text.contains("embedding"), holds(text, refusals) { return noEmbeddings(said) }
        }
        guard missesModel(status: status, text, upstream.code?.lowercased()) else { return nil }
        let error =
            context.isEmbedding ? "model \"\(context.model)\" not found, try pulling it first" : "model '\(context.model)' not found"
        return OllamaFailure(status: 404, error: error, code: "MODEL_NOT_FOUND", detail: said)
    }

    /// No more of what an upstream said is searched for words.
    private static let longest = 4 << 10

    private static let refusals = [
        "not support", "unsupported", "no support", "support image", "support tool", "not a multimodal", "not allowed", "not available",
    ]

    private static func complainsOfImages(_ text: String) -> Bool {
        // vLLM, DeepSeek, llama.cpp, OpenRouter, vLLM again; none says "vision".
        let plain = ["at most 0 image", "unknown variant `image_url`", "mmproj", "support image input", "not a multimodal"]
        if holds(text, plain) { return true }
        guard holds(text, ["image", "vision", "multimodal", "multi-modal"]) else { return false }
        // A complaint about this picture's form or address is not one about the model.
        let aboutThisOne = ["format", "mime", "media type", "media_type", "too large", "size", "download", "corrupt", "below 20"]
        if holds(text, aboutThisOne) { return false }
        let textWanted = ["invalid content type", "only text", "text-only", "text only", "must be a string", "should be a valid string"]
        return holds(text, refusals) || holds(text, textWanted)
    }

    private static func complainsOfTools(_ text: String) -> Bool {
        // vLLM, llama.cpp, OpenRouter, Ollama.
        let plain = ["--enable-auto-tool-choice", "tools param requires", "support tool use", "does not support tools"]
        if holds(text, plain) { return true }
        return holds(text, ["tools", "tool_choice", "tool use", "tool call", "function call", "functions"]) && holds(text, refusals)
    }

    private static func complainsOfLength(_ text: String, _ code: String?) -> Bool {
        let words = ["context length", "maximum context", "too many tokens", "maximum input length", "max_model_len", "too long"]
        return code == "context_length_exceeded" || holds(text, words)
    }

    private static func missesModel(status: Int, _ text: String, _ code: String?) -> Bool {
        if code == "model_not_found" || code == "deploymentnotfound" { return true }
        guard status == 404 || status == 400 else { return false }
        let plain = [
            "not a valid model", "model not found", "no such model", "unknown model", "model not exist", "model does not exist",
        ]
        if holds(text, plain) { return true }
        guard status == 404 else { return false }
        if text.contains("no endpoints found") { return true }
        let missing = ["not found", "not exist", "no access", "not have access", "not supported"]
        return holds(text, ["model", "deployment"]) && holds(text, missing)
    }

    private static func holds(_ text: String, _ words: [String]) -> Bool {
        words.contains { text.contains($0) }
    }
}
