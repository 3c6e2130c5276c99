/// The client's `options` that mean something to some upstream. Nil is "not set": nothing is sent, so the model's own default rules.
///
/// Options that only steer Ollama's own runner (`num_gpu`, `numa`, `use_mmap` …) and unknown ones are read past.
public struct GenerationOptions: Sendable, Equatable {
    /// Most tokens to produce; -1 and -2 are "no limit" and "the context", 0 is none set.
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

extension GenerationOptions {
    /// Reads `options` by any case of their names; whole numbers may be spelt as floats, numbers as strings.
    ///
    /// - Throws: `option "x" must be of type …`, with status 400: Ollama's 500 is an accident that makes some clients retry.
    static func decode(_ object: JSONObject) throws(OllamaFailure) -> GenerationOptions {
        var options = GenerationOptions()
        options.numPredict = try integer("num_predict", object)
        options.numCtx = try integer("num_ctx", object)
        options.temperature = try float("temperature", object)
        options.topP = try float("top_p", object)
        options.topK = try integer("top_k", object)
        options.minP = try float("min_p", object)
        options.typicalP = try float("typical_p", object)
        options.seed = try integer("seed", object)
        options.stop = try stop(object)
        options.repeatPenalty = try float("repeat_penalty", object)
        options.repeatLastN = try integer("repeat_last_n", object)
        options.presencePenalty = try float("presence_penalty", object)
        options.frequencyPenalty = try float("frequency_penalty", object)
        options.mirostat = try integer("mirostat", object)
        options.mirostatTau = try float("mirostat_tau", object)
        options.mirostatEta = try float("mirostat_eta", object)
        for key in ["num_keep", "num_batch", "num_gpu", "main_gpu", "num_thread"] as [StaticString] { _ = try integer(key, object) }
        if let mapped = object.lenient("use_mmap"), mapped.bool == nil { throw wrong("use_mmap", "boolean") }
        return options
    }

    private static func integer(_ key: StaticString, _ object: JSONObject) throws(OllamaFailure) -> Int? {
        guard let value = object.lenient(key) else { return nil }
        // Go cuts a fraction off; the range guard keeps the conversion from trapping.
        guard let number = LenientNumber.double(value), abs(number) < 9e18 else { throw wrong(key, "integer") }
        return LenientNumber.integer(value) ?? Int(number)
    }

    private static func float(_ key: StaticString, _ object: JSONObject) throws(OllamaFailure) -> Double? {
        guard let value = object.lenient(key) else { return nil }
        guard let number = LenientNumber.double(value) else { throw wrong(key, "float32") }
        return number
    }

    private static func stop(_ object: JSONObject) throws(OllamaFailure) -> [String] {
        switch object.lenient("stop") {
        case nil: return []
        case .string(let text): return text.isEmpty ? [] : [text.string]
        case .array(let values):
            var stop: [String] = []
            for value in values {
                guard let text = value.string else { throw .badRequest("option \"stop\" must be of an array of strings") }
                if !text.isEmpty { stop.append(text) }
            }
            return stop
        default: throw wrong("stop", "array")
        }
    }

    private static func wrong(_ key: StaticString, _ type: String) -> OllamaFailure {
        .badRequest("option \"\(key)\" must be of type \(type)")
    }
}
