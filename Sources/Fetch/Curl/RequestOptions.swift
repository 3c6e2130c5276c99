import CCurl

/// A request that can go on the wire, translated into libcurl's options.
///
/// Lives as long as the answer streams, so it keeps only what libcurl refers to, not the request: its body may be 20 MB of pictures.
struct RequestOptions: ~Copyable {
    /// Below this the body is copied, and goes out in one packet with the headers.
    private static let copiedBodyBytes = 32 * 1024
    private let headers: HeaderList
    private let resolve: StringList
    private let bodyLength: Int
    /// Whether libcurl asks for the body piece by piece.
    let bodyIsRead: Bool

    /// Sets everything but the callbacks.
    ///
    /// - Parameter headers: Those of the request.
    /// - Throws: `badURL` or `badRequest` for what would break the request's lines.
    init(
        _ request: FetchRequest, _ headers: HeaderList, for handle: EasyHandle, _ configuration: FetcherConfiguration
    ) throws(FetchError) {
        self.headers = headers
        guard isToken(request.method) else { throw .badRequest(detail: "the method is not a token") }
        guard !request.url.isEmpty, request.url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else { throw .badURL }
        bodyLength = request.body.reduce(0) { $0 + $1.count }
        bodyIsRead = bodyLength > Self.copiedBodyBytes
        resolve = StringList(Self.resolveLines(request))
        // A request may have a body and that one be empty.
        let sendsBody = bodyLength > 0 || ["POST", "PUT", "PATCH"].contains(request.method)
        handle.set(CURLOPT_URL, request.url)
        handle.set(CURLOPT_PROTOCOLS_STR, "http,https")
        handle.set(CURLOPT_NOSIGNAL, 1)
        // Without it a transfer that ends during name lookup would stop the thread until the resolver answers.
        handle.set(CURLOPT_QUICK_EXIT, 1)
        handle.set(CURLOPT_USERAGENT, configuration.userAgent)
        handle.set(CURLOPT_HTTP_VERSION, configuration.versions == .http1 ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS)
        // Held for as long as the exchange lasts. Files come in bulk; answers to a question come in small pieces, thousands at once.
        handle.set(CURLOPT_BUFFERSIZE, sendsBody ? 1024 : 64 * 1024)
        handle.set(CURLOPT_MAXAGE_CONN, max(1, Int(configuration.idleConnectionAge.components.seconds)))
        handle.set(CURLOPT_TCP_KEEPALIVE, 1)
        handle.set(CURLOPT_TCP_KEEPIDLE, 30)
        handle.set(CURLOPT_TCP_KEEPINTVL, 15)
        if configuration.proxy == .none { handle.set(CURLOPT_PROXY, "") }
        if let path = request.unixSocket { handle.set(CURLOPT_UNIX_SOCKET_PATH, path) }
        if let file = request.certificateAuthorityFile {
            handle.set(CURLOPT_CAINFO, file)
            // Debian's libcurl also looks into a directory of system authorities.
            handle.set(CURLOPT_CAPATH, nil)
        }
        handle.set(CURLOPT_HTTPHEADER, headers.lines)
        if !request.pinnedAddresses.isEmpty { handle.set(CURLOPT_RESOLVE, resolve) }
        setMethod(request, sendsBody: sendsBody, on: handle)
    }

    private func setMethod(_ request: FetchRequest, sendsBody: Bool, on handle: EasyHandle) {
        switch (request.method, sendsBody) {
        case ("HEAD", false):
            handle.set(CURLOPT_NOBODY, 1)
        case (let method, true):
            handle.set(CURLOPT_POST, 1)
            if bodyIsRead {
                handle.set(CURLOPT_POSTFIELDSIZE_LARGE, size: bodyLength)
                handle.set(CURLOPT_UPLOAD_BUFFERSIZE, bodyLength > 512 * 1024 ? 256 * 1024 : 64 * 1024)
            } else {
                // Most bodies are one piece.
                handle.setBodyCopy(request.body.count == 1 ? request.body[0] : ArraySlice(request.body.joined()))
            }
            if method != "POST" { handle.set(CURLOPT_CUSTOMREQUEST, method) }
        case (let method, false):
            handle.set(CURLOPT_HTTPGET, 1)
            if method != "GET" { handle.set(CURLOPT_CUSTOMREQUEST, method) }
        }
    }

    /// `+HOST:PORT:ADDRESS,…` puts the addresses into libcurl's own cache, where they age like any others.
    private static func resolveLines(_ request: FetchRequest) -> [String] {
        guard !request.pinnedAddresses.isEmpty, let url = ParsedURL(request.url) else { return [] }
        let addresses = request.pinnedAddresses.map { $0.family == .v6 ? "[\($0)]" : "\($0)" }
        return ["+\(url.host):\(url.port):\(addresses.joined(separator: ","))"]
    }
}
