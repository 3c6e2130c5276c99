/// Builds the upstream request from a decoded one.
public enum ChatCompletionBuilder {
    /// - Parameters:
    ///   - images: Per message of `request.messages`, per entry of its `images`, what became of it.
    ///   - adjustments: What earlier refusals of this model taught.
    /// - Throws: Only for what cannot be said to this upstream at all.
    public static func build(
        _ request: InferenceRequest, model: ResolvedModel, images: [[ImageOutcome]] = [], adjustments: LearnedAdjustments = .init()
    ) throws(OllamaFailure) -> UpstreamBody {
        throw .badRequest("not built yet")
    }
}
