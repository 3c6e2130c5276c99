/// An upstream's failure as an Ollama client reads it.
public enum FailureMapping {
    /// Maps an HTTP answer that is not a success.
    ///
    /// - Parameters:
    ///   - status: The upstream's status.
    ///   - body: As much of its body as was read.
    ///   - retryAfter: Its `Retry-After` value: seconds or an HTTP date.
    ///   - now: The wall clock in seconds since 1970, to understand a date.
    ///   - context: The request's side.
    public static func failure(status: Int, body: [UInt8], retryAfter: String?, now: Int64, context: FailureContext) -> OllamaFailure {
        let upstream = UpstreamFailure(body: body)
        var failure = map(status: status, upstream, context: context)
        guard failure.asksToWait else { return failure }
        failure.retryAfter = retryAfter.flatMap { RetryAfter.seconds($0, now: now) } ?? upstream.retryDelay.map(RetryAfter.clamp)
        return failure
    }

    /// Maps a failure below HTTP.
    public static func failure(_ problem: TransportProblem, context: FailureContext) -> OllamaFailure {
        switch problem {
        case .couldNotResolve: unreachable("its name could not be resolved")
        case .couldNotConnect: unreachable("could not connect")
        case .tls: unreachable("no trusted TLS connection")
        case .addressRefused: unreachable("address not allowed")
        case .badRequest: unreachable("its base URL or key cannot be used", detail: "Check base_url and the key in models.json.")
        case .timedOut: OllamaFailure(status: 504, error: "model server did not answer in time", code: "UPSTREAM_TIMEOUT")
        case .fellSilent: OllamaFailure(status: 504, error: "model server stopped answering", code: "UPSTREAM_TIMEOUT")
        case .tooLarge: OllamaFailure(status: 502, error: "model server sent an answer that is too large", code: "UPSTREAM_TOO_LARGE")
        case .closedEarly: cutOff
        case .protocolError: OllamaFailure(status: 502, error: "model server sent an invalid HTTP response", code: "UPSTREAM_INVALID")
        }
    }

    /// Maps an error that came inside an answer with status 200.
    static func reported(_ error: JSONValue, context: FailureContext) -> OllamaFailure {
        let upstream = UpstreamFailure(error)
        var failure = map(status: upstream.status ?? status(named: upstream) ?? 200, upstream, context: context)
        if failure.asksToWait { failure.retryAfter = upstream.retryDelay.map(RetryAfter.clamp) }
        return failure
    }

    private static func unreachable(_ reason: String, detail: String? = nil) -> OllamaFailure {
        OllamaFailure(status: 502, error: "model server unreachable: \(reason)", code: "UPSTREAM_UNREACHABLE", detail: detail)
    }

    /// The status that an error's words stand for.
    private static func status(named upstream: UpstreamFailure) -> Int? {
        for word in [upstream.code, upstream.type].compactMap({ $0?.lowercased() }) {
            switch word {
            case "rate_limit_exceeded", "rate_limit_error", "resource_exhausted", "insufficient_quota", "too_many_requests": return 429
            case "overloaded_error", "unavailable", "service_unavailable", "server_overloaded": return 503
            case "authentication_error", "invalid_api_key", "unauthenticated", "permission_error", "permission_denied": return 401
            case "invalid_request_error", "invalid_argument", "badrequesterror", "invalid_prompt": return 400
            case "context_length_exceeded", "content_filter": return 400
            case "model_not_found", "not_found_error", "not_found", "notfounderror": return 404
            case "insufficient_credits", "billing_error", "payment_required": return 402
            case "timeout_error", "deadline_exceeded", "timeout": return 504
            default: continue
            }
        }
        return nil
    }
}

extension FailureMapping {
    /// HTML where an answer was due: a wrong base URL or a captive portal.
    static var webPage: OllamaFailure {
        OllamaFailure(
            status: 502, error: "model server sent a web page instead of an answer", code: "UPSTREAM_INVALID",
            detail: "Check base_url in models.json.")
    }
    /// One event larger than the reader takes.
    static var lineTooLong: OllamaFailure {
        OllamaFailure(
            status: 502, error: "model server sent a line longer than \(ServerSentEventLines.longestLine >> 20) MB",
            code: "UPSTREAM_TOO_LARGE")
    }
    /// Data that is no JSON.
    public static var unreadable: OllamaFailure {
        OllamaFailure(status: 502, error: "model server sent data that cannot be read", code: "UPSTREAM_INVALID")
    }
    /// An answer that was packed although nobody asked for that.
    static var compressed: OllamaFailure {
        OllamaFailure(
            status: 502, error: "model server sent a compressed answer", code: "UPSTREAM_INVALID",
            detail: "The bridge asks for none; something before the model server compresses all the same.")
    }
    /// The connection ended before the answer.
    static var cutOff: OllamaFailure {
        OllamaFailure(
            status: 502, error: "model server closed the connection before the answer was complete", code: "UPSTREAM_CUT_OFF")
    }
    /// A proper end, and nothing before it.
    public static var empty: OllamaFailure {
        OllamaFailure(status: 502, error: "upstream returned an empty response", code: "UPSTREAM_EMPTY")
    }
    /// Arguments that are no object, whatever is tried.
    static var brokenToolCall: OllamaFailure {
        OllamaFailure(status: 502, error: "invalid tool call arguments from upstream", code: "UPSTREAM_INVALID")
    }
    /// The filter left nothing.
    static var blocked: OllamaFailure {
        OllamaFailure(status: 400, error: "response blocked by the upstream content filter", code: "CONTENT_FILTER")
    }
}

extension OllamaFailure {
    /// Whether it may say for how long.
    fileprivate var asksToWait: Bool { status == 429 || status == 503 }
}
