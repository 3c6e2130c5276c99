/// An error as a client of `/v1` reads it: a status and an error object.
public struct OpenAIFailure: Error, Sendable, Equatable {
    public var status: Int
    public var message: String
    /// `invalid_request_error`, `not_found_error` or `api_error`, by status.
    public var type: String
    /// Where in the request, as in `messages[4].content[1].image_url.url`.
    public var param: String?
    public var code: String?
    public var retryAfter: Int?

    public init(status: Int, message: String, param: String? = nil, code: String? = nil, retryAfter: Int? = nil) {
        self.status = status
        self.message = message
        type = status == 404 ? "not_found_error" : (400..<500).contains(status) ? "invalid_request_error" : "api_error"
        self.param = param
        self.code = code
        self.retryAfter = retryAfter
    }

    /// The same fact as on `/api`, in OpenAI's words.
    public init(_ failure: OllamaFailure, param: String? = nil) {
        self.init(
            status: failure.status, message: failure.error, param: param, code: failure.code, retryAfter: failure.retryAfter)
    }

    /// `{"error":{"message","type","param","code"}}`.
    public var body: [UInt8] {
        JSONWriter.bytes([
            "error": [
                "message": .text(message), "type": .text(type), "param": param.map(JSONValue.text) ?? .null,
                "code": code.map(JSONValue.text) ?? .null,
            ]
        ])
    }
}
