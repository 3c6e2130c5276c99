import NIOHTTP1

/// What makes a request's head unacceptable whatever it asks for. Where two readers could disagree on whom a request is for or where it
/// ends, it is refused and the connection closed (RFC 9112 §3.2, §6.1).
enum RequestRules {
    /// - Returns: The status to refuse with; nil for a proper head.
    static func refusal(of head: HTTPRequestHead, limits: ListenerLimits) -> HTTPResponseStatus? {
        if head.uri.utf8.count > limits.requestLineBytes { return .uriTooLong }
        if head.method == .CONNECT || head.method == .TRACE { return .methodNotAllowed }
        let encodings = head.headers["transfer-encoding"]
        // Nothing else than chunks is read, so nothing else may be taken for them.
        if !encodings.isEmpty, head.version != .http1_1 || encodings.map({ $0.lowercased() }) != ["chunked"] { return .badRequest }
        let hosts = head.headers["host"]
        guard hosts.count == 1, HostCheck.name(of: hosts[0]) != nil else { return .badRequest }
        guard isTarget(head.uri, of: hosts[0], method: head.method) else { return .badRequest }
        if let expectation = expectation(head), expectation != "100-continue" { return .expectationFailed }
        return nil
    }

    static func awaitsContinue(_ head: HTTPRequestHead) -> Bool {
        head.version == .http1_1 && expectation(head) == "100-continue"
    }

    private static func expectation(_ head: HTTPRequestHead) -> String? {
        head.headers.first(name: "expect")?.lowercased()
    }

    /// A path, `*` for OPTIONS, or a whole URL that names the same host as the Host header.
    private static func isTarget(_ uri: String, of host: String, method: HTTPMethod) -> Bool {
        if uri.utf8.first == UInt8(ascii: "/") { return true }
        if uri == "*" { return method == .OPTIONS }
        guard let scheme = uri.firstRange(of: "://") else { return false }
        guard ["http", "https"].contains(uri[..<scheme.lowerBound].lowercased()) else { return false }
        let authority = uri[scheme.upperBound...].prefix { !"/?#".contains($0) }
        return authority.lowercased() == host.lowercased()
    }
}
