import Testing
import Translate

@Suite struct AdjustmentLearningTests {
    static let sent: Set<String> = [
        "model", "messages", "stream", "stream_options", "max_tokens", "temperature", "top_p", "seed", "stop", "tools", "response_format",
        "reasoning_effort", "presence_penalty", "logprobs", "top_logprobs", "top_k", "chat_template_kwargs",
    ]

    static func learn(_ text: String, status: Int = 400, sent: Set<String> = sent) -> LearnedAdjustments.Adjustment? {
        LearnedAdjustments.learn(status: status, body: Array(text.utf8), sent: sent)
    }

    @Test(arguments: [
        (
            #"{"error":{"message":"Unrecognized request argument supplied: stream_options","type":"invalid_request_error","param":null}}"#,
            "stream_options"
        ),
        (#"{"error":{"message":"Unknown parameter: 'top_k'.","param":"top_k","code":"unknown_parameter"}}"#, "top_k"),
        (
            #"{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","seed"],"msg":"Extra inputs are not permitted"}]}}"#,
            "seed"
        ),
        (
            #"[{"error":{"code":400,"message":"Invalid JSON payload received. Unknown name \"presence_penalty\": Cannot find field."}}]"#,
            "presence_penalty"
        ),
        (#"{"error":{"message":"`logprobs` is not supported with this model"}}"#, "logprobs"),
        (#"{"error":"property 'top_logprobs' is unsupported"}"#, "top_logprobs"),
        (#"{"error":"Model grok-4 does not support parameter presencePenalty."}"#, "presence_penalty"),
        (
            #"{"error":{"message":"Provider returned error","metadata":{"raw":"{\"error\":{\"message\":\"Unsupported parameter: 'temperature' is not supported with this model.\"}}"}}}"#,
            "temperature"
        ),
        (#"temperature: Extra inputs are not permitted"#, "temperature"),
        (#"{"error":{"message":"`temperature` and `top_p` cannot both be specified for this model. Please use only one."}}"#, "top_p"),
        (#"{"error":{"message":"reasoning_effort is not supported by this model"}}"#, "reasoning_effort"),
    ])
    func `a parameter the upstream does not take is left out`(body: String, parameter: String) {
        #expect(Self.learn(body) == .drop(parameter))
        #expect(Self.learn(body, status: 422) == .drop(parameter))
    }

    @Test func `the other name is taken`() {
        let text =
            #"{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."}}"#
        #expect(Self.learn(text) == .rename("max_tokens", to: "max_completion_tokens"))
    }

    @Test func `a format that is refused`() {
        #expect(Self.learn(#"{"error":{"message":"This response_format type is unavailable now"}}"#) == .schemaInPrompt)
        #expect(Self.learn(#"{"error":"'response_format.type' must be 'json_schema' or 'text'"}"#) == .drop("response_format"))
    }

    @Test(arguments: [
        #"{"error":{"message":"This model's maximum context length is 8192 tokens","code":"context_length_exceeded","param":"messages"}}"#,
        #"{"error":{"message":"max_tokens is too large: 100000. This model supports at most 16384 completion tokens","param":"max_tokens"}}"#,
        #"{"error":{"message":"No endpoints found that support tool use"}}"#,
        #"{"error":{"message":"tools is not supported for this model"}}"#,
        #"{"error":{"message":"Invalid content type. image_url is only supported by certain models.","param":"messages.[0].content.[1].type"}}"#,
        #"{"error":{"message":"Unknown parameter: 'messages[0].foo'.","param":"messages[0].foo"}}"#,
        "", "not json", "{}", "[]", #"{"error":null}"#,
    ])
    func `other refusals teach nothing`(body: String) {
        #expect(Self.learn(body) == nil)
    }

    @Test func `only 400 and 422 teach, and only about what was sent`() {
        let text = #"{"error":{"message":"Unknown parameter: 'top_k'."}}"#
        for status in [200, 401, 404, 429, 500] { #expect(Self.learn(text, status: status) == nil) }
        #expect(Self.learn(text, sent: ["model", "messages"]) == nil)
    }

    @Test func `lessons add up`() {
        var learned = LearnedAdjustments()
        #expect(learned.isEmpty)
        learned.apply(.drop("seed"))
        learned.apply(.rename("max_tokens", to: "max_completion_tokens"))
        learned.apply(.replace(parameter: "reasoning_effort", value: "none", with: "low"))
        #expect(learned.dropped == ["seed"] && learned.renamed.count == 1 && learned.replaced["reasoning_effort"] == ["none": "low"])
    }
}
