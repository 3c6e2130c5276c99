/// An error as an OpenAI client reads it: a status and `{"error": {"message", "type", "param", "code"}}`.
public struct OpenAIFailure: Error, Sendable, Equatable {
    /// HTTP status.
    public var status: Int
    /// What a person reads.
    public var message: String
    /// `invalid_request_error`, `not_found_error` or `api_error`, by status.
    public var type: String
    /// The request's field at fault, such as `messages[4].content[1].image_url.url`.
    public var param: String?
    /// A word for machines.
    public var code: String?
    /// Seconds for a `Retry-After` header.
    public var retryAfter: Int?

    /// - Parameters:
    ///   - status: HTTP status; decides the type.
    ///   - message: What a person reads.
    ///   - param: The request's field at fault.
    ///   - code: A word for machines.
    public init(status: Int, message: String, param: String? = nil, code: String? = nil, retryAfter: Int? = nil) {
        self.status = status
        self.message = message
        type =
            switch status {
            case 404: "not_found_error"
            case 400, 413: "invalid_request_error"
            default: "api_error"
            }
        self.param = param
        self.code = code
        self.retryAfter = retryAfter
    }

    /// The same facts in OpenAI's shape.
    ///
    /// - Parameter param: The field at fault, where the caller can name it better than the failure does.
    public init(_ failure: OllamaFailure, param: String? = nil) {
        self.init(
            status: failure.status, message: failure.error, param: param ?? failure.param, code: failure.code,
            retryAfter: failure.retryAfter)
    }

    /// The response's body.
    public var body: [UInt8] {
        JSONWriter.bytes([
            "error": [
                "message": .text(message), "type": .text(type), "param": param.map(JSONValue.text) ?? .null,
                "code": code.map(JSONValue.text) ?? .null,
            ]
        ])
    }

    /// The same as the last event of a stream whose header is out.
    public var event: [UInt8] { Array("data: ".utf8) + body + Array("\n\n".utf8) }
}
