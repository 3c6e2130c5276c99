import Testing

@testable import Translate

@Suite struct OpenAIFailureTests {
    @Test(arguments: [
        (400, "invalid_request_error"), (413, "invalid_request_error"), (404, "not_found_error"), (429, "api_error"), (502, "api_error"),
    ])
    func `the type follows the status`(status: Int, type: String) {
        #expect(OpenAIFailure(status: status, message: "x").type == type)
    }

    @Test func `an Ollama failure keeps its facts`() {
        let failure = OllamaFailure(status: 400, error: "invalid image input", code: "IMAGE", retryAfter: 3)
        let openAI = OpenAIFailure(failure, param: "messages[4].content[1].image_url.url")
        #expect(
            String(decoding: openAI.body, as: UTF8.self)
                == #"{"error":{"message":"invalid image input","type":"invalid_request_error","#
                + #""param":"messages[4].content[1].image_url.url","code":"IMAGE"}}"#)
        #expect(openAI.retryAfter == 3)
    }

    @Test func `an upstream's complaint keeps the field it blames`() {
        let body = Array(#"{"error":{"message":"too hot","type":"invalid_request_error","param":"temperature","code":null}}"#.utf8)
        let context = FailureContext(model: "m")
        let failure = OpenAIFailure(FailureMapping.failure(status: 400, body: body, retryAfter: nil, now: 0, context: context))
        #expect(failure.message == "too hot" && failure.param == "temperature" && failure.status == 400)
        let other = OpenAIFailure(FailureMapping.failure(status: 500, body: body, retryAfter: nil, now: 0, context: context))
        #expect(other.param == nil)
    }

    @Test func `absent fields are null`() {
        let body = OpenAIFailure(status: 502, message: "x").body
        #expect(String(decoding: body, as: UTF8.self) == #"{"error":{"message":"x","type":"api_error","param":null,"code":null}}"#)
    }
}
