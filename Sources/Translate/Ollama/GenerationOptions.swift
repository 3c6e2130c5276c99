/// The client's `options` that mean something to some upstream. Nil is "not set": nothing is sent, so the model's own default rules.
///
/// Options that only steer Ollama's own runner (`num_gpu`, `numa`, `use_mmap` …) and unknown ones are read past.
public struct GenerationOptions: Sendable, Equatable {
    public var numPredict: Int?
    /// The context the client hopes for; no upstream counterpart, shown in `/api/ps`.
    public var numCtx: Int?
    public var temperature: Double?
    public var topP: Double?
    public var topK: Int?
    public var minP: Double?
    public var typicalP: Double?
    public var seed: Int?
    /// Without empty strings.
    public var stop: [String] = []
    public var repeatPenalty: Double?
    public var repeatLastN: Int?
    public var presencePenalty: Double?
    public var frequencyPenalty: Double?
    public var mirostat: Int?
    public var mirostatTau: Double?
    public var mirostatEta: Double?

    public init() {}
}
