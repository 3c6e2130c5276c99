extension FailureMapping {
    /// The table: what each status, with what its body says, becomes.
    static func map(status: Int, _ upstream: UpstreamFailure, context: FailureContext) -> OllamaFailure {
        var failure = mapWithoutParam(status: status, upstream, context: context)
        // A word is as good a place for a key as a sentence.
        failure.code = failure.code.flatMap { Redaction.clean($0, secrets: context.secrets) == $0 ? $0 : nil }
        // Of a fault that is not the client's it need not know the field.
        if failure.status < 500 { failure.param = upstream.param.map { Redaction.clean($0, secrets: context.secrets) } }
        return failure
    }

    private static func mapWithoutParam(status: Int, _ upstream: UpstreamFailure, context: FailureContext) -> OllamaFailure {
        let said = upstream.message.map { Redaction.clean($0, secrets: context.secrets) }
        if let complaint = complaint(status: status, upstream, said: said, context: context) { return complaint }
        let text = said ?? "\(status == 200 ? "an error" : "\(status) \(reason(status))") from model server"
        func failure(_ status: Int) -> OllamaFailure {
            var failure = OllamaFailure(status: status, error: text, code: word(upstream))
            failure.isInUpstreamsWords = said != nil
            return failure
        }
        switch status {
        case 401, 403: return rejectedKey(status: status, said: said)
        case 402, 429: return failure(status)
        case 404, 405: return missingRoute(said: said, context: context)
        case 408, 504: return failure(504)
        case 413: return OllamaFailure(status: 413, error: "request too large", code: word(upstream), detail: said)
        case 400..<500: return failure(400)
        case 503, 529: return failure(503)
        case 300..<400:
            return OllamaFailure(
                status: 502, error: "model server redirected the request", code: "UPSTREAM_REDIRECT",
                detail: "Check base_url in models.json.")
        default: return failure(502)
        }
    }

    private static func word(_ upstream: UpstreamFailure) -> String? {
        guard let word = upstream.code ?? upstream.type, word.utf8.count <= 64 else { return nil }
        return word.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } ? word : nil
    }

    /// A real 401 would start the client's sign-in; and OpenAI's text quotes a part of the key, so what it says stays here.
    private static func rejectedKey(status: Int, said: String?) -> OllamaFailure {
        let mentionsKey = said.map { text in
            ["key", "token", "credential", "auth"].contains { text.lowercased().contains($0) }
        }
        let detail = status == 403 && mentionsKey == false ? said : nil
        return OllamaFailure(status: 502, error: "model server rejected the API key", code: "UPSTREAM_KEY_REJECTED", detail: detail)
    }

    private static func missingRoute(said: String?, context: FailureContext) -> OllamaFailure {
        if context.isEmbedding { return noEmbeddings(said) }
        return OllamaFailure(
            status: 502, error: "model server has no such route", code: "UPSTREAM_ROUTE_MISSING",
            detail: "Check base_url in models.json; it usually ends in /v1.")
    }

    static func noEmbeddings(_ said: String?) -> OllamaFailure {
        OllamaFailure(status: 501, error: "this model does not support embeddings", code: "UNSUPPORTED_CAPABILITY", detail: said)
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 402: "Payment Required"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 413: "Content Too Large"
        case 415: "Unsupported Media Type"
        case 422: "Unprocessable Content"
        case 429: "Too Many Requests"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 520...527: "Cloudflare Error"
        case 529: "Overloaded"
        case ..<200: "Unexpected Status"
        case ..<300: "Success"
        case ..<500: "Client Error"
        default: "Server Error"
        }
    }
}
