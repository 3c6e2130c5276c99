/// An error as an Ollama client reads it: a status and `{"error": "…"}`.
///
/// `error` is text that clients match on. What a person needs beyond it goes into further keys of the same object, which Ollama's clients ignore.
public struct OllamaFailure: Error, Sendable, Equatable {
    /// HTTP status, used only while nothing of an answer has been sent.
    public var status: Int
    /// The exact `error` text.
    public var error: String
    /// A word for machines, such as `UNSUPPORTED_CAPABILITY`.
    public var code: String?
    /// One plain sentence for a person.
    public var detail: String?
    /// The message at fault, counted from 0.
    public var message: Int?
    /// The picture at fault within its `images`, counted from 0.
    public var image: Int?
    /// Seconds for a `Retry-After` header.
    public var retryAfter: Int?
    /// The field that an upstream blames, for clients of OpenAI's API; Ollama's have no such key.
    public var param: String?
    /// `error` is what an upstream wrote, who may have written down what it was asked.
    public internal(set) var isInUpstreamsWords = false

    public init(
        status: Int, error: String, code: String? = nil, detail: String? = nil, message: Int? = nil, image: Int? = nil,
        retryAfter: Int? = nil, param: String? = nil
    ) {
        self.status = status
        self.error = error
        self.code = code
        self.detail = detail
        self.message = message
        self.image = image
        self.retryAfter = retryAfter
        self.param = param
    }

    /// What went wrong, for a log or an audit.
    ///
    /// - Parameter holdsTexts: It may hold what users wrote.
    public func summary(holdsTexts: Bool) -> String {
        guard isInUpstreamsWords, !holdsTexts else { return error }
        return "answered with \(status)" + (code.map { ", \($0)" } ?? "")
    }

    /// The body, also used as the error line of a stream (which adds a newline).
    public var body: [UInt8] {
        var object: JSONObject = ["error": .text(error)]
        object["code"] = code.map(JSONValue.text)
        object["detail"] = detail.map(JSONValue.text)
        object["message"] = message.map(JSONValue.integer)
        object["image"] = image.map(JSONValue.integer)
        return JSONWriter.bytes(.object(object))
    }
}
