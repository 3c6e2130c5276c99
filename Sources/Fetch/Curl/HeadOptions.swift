import CCurl

/// The head of a request, translated into a handle's options, where it stays for the next request with the same.
@safe final class HeadOptions {
    /// A limit in nanoseconds, as the loop counts.
    struct Limits {
        let connect: UInt64
        let firstByte: UInt64
        let idle: UInt64
        let total: UInt64?
        let maxBodyBytes: Int?

        init(_ limits: FetchLimits) {
            connect = nanoseconds(limits.connect)
            firstByte = nanoseconds(limits.firstByte)
            idle = nanoseconds(limits.idle)
            total = limits.total.map(nanoseconds)
            maxBodyBytes = limits.maxBodyBytes
        }
    }

    let head: RequestHead
    let sendsBody: Bool
    let limits: Limits
    let isSafeToRepeat: Bool
    let expectsBody: Bool
    /// Whether the bytes on the wire are HTTP's own.
    let isPlain: Bool
    private let headers: StringList
    private let resolve: StringList
    /// The URL in parts, so that libcurl does not take it apart for every request; nil for one it refuses, which it then says itself.
    private let url: OpaquePointer?

    /// Sets everything but callbacks and body.
    ///
    /// - Parameters:
    ///   - bodyIsRead: libcurl asks for the body piece by piece.
    ///   - mayUseProxy: Whether the environment names one at all. libcurl looks there for every request.
    /// - Throws: `badURL` or `badRequest` for what would break the request's lines.
    init(
        _ head: RequestHead, sendsBody: Bool, bodyIsRead: Bool, on handle: EasyHandle, _ configuration: FetcherConfiguration,
        mayUseProxy: Bool
    ) throws(FetchError) {
        let facts = head.facts
        guard isToken(facts.method) else { throw .badRequest(detail: "the method is not a token") }
        guard !facts.url.isEmpty, facts.url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else { throw .badURL }
        self.head = head
        self.sendsBody = sendsBody
        limits = Limits(facts.limits)
        isSafeToRepeat = ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"].contains(facts.method)
        expectsBody = facts.method != "HEAD"
        isPlain = facts.url.utf8.prefix(5).elementsEqual("http:".utf8) { $0 | 0x20 == $1 | 0x20 }
        headers = StringList(try HeaderLines.make(facts.headers, userAgent: configuration.userAgent, bodyIsRead: bodyIsRead))
        resolve = StringList(Self.resolveLines(facts))
        unsafe url = unsafe Self.parsed(facts.url)
        setUp(handle, configuration, mayUseProxy: mayUseProxy)
        setDestination(on: handle)
        setMethod(on: handle)
    }

    deinit { unsafe curl_url_cleanup(url) }

    private func setUp(_ handle: EasyHandle, _ configuration: FetcherConfiguration, mayUseProxy: Bool) {
        handle.set(CURLOPT_PROTOCOLS_STR, "http,https")
        handle.set(CURLOPT_NOSIGNAL, 1)
        // Without it a transfer that ends during name lookup would stop the thread until the resolver answers.
        handle.set(CURLOPT_QUICK_EXIT, 1)
        handle.set(CURLOPT_HTTP_VERSION, configuration.versions == .http1 ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS)
        // Held for as long as the exchange lasts. Files come in bulk; answers to a question come in small pieces, thousands at once.
        handle.set(CURLOPT_BUFFERSIZE, sendsBody ? 1024 : 64 * 1024)
        handle.set(CURLOPT_MAXAGE_CONN, max(1, Int(configuration.idleConnectionAge.components.seconds)))
        handle.set(CURLOPT_TCP_KEEPALIVE, 1)
        handle.set(CURLOPT_TCP_KEEPIDLE, 30)
        handle.set(CURLOPT_TCP_KEEPINTVL, 15)
        if mayUseProxy {
            // For the words to the proxy itself.
            handle.set(CURLOPT_USERAGENT, configuration.userAgent)
        } else {
            handle.set(CURLOPT_PROXY, "")
            handle.set(CURLOPT_NOPROXY, "")
        }
        handle.set(CURLOPT_HTTPHEADER, headers)
    }

    private func setDestination(on handle: EasyHandle) {
        let facts = head.facts
        handle.set(CURLOPT_URL, facts.url)
        if let url = unsafe url { unsafe fetch_set_pointer(handle.curl, CURLOPT_CURLU, UnsafeMutableRawPointer(url)) }
        if let path = facts.unixSocket { handle.set(CURLOPT_UNIX_SOCKET_PATH, path) }
        if let file = facts.certificateAuthorityFile {
            handle.set(CURLOPT_CAINFO, file)
            // Debian's libcurl also looks into a directory of system authorities.
            handle.set(CURLOPT_CAPATH, nil)
        }
        if !facts.pinnedAddresses.isEmpty { handle.set(CURLOPT_RESOLVE, resolve) }
    }

    private func setMethod(on handle: EasyHandle) {
        switch (head.facts.method, sendsBody) {
        case ("HEAD", false):
            handle.set(CURLOPT_NOBODY, 1)
        case (let method, true):
            handle.set(CURLOPT_POST, 1)
            if method != "POST" { handle.set(CURLOPT_CUSTOMREQUEST, method) }
        case (let method, false):
            handle.set(CURLOPT_HTTPGET, 1)
            if method != "GET" { handle.set(CURLOPT_CUSTOMREQUEST, method) }
        }
    }

    /// As libcurl itself parses what it is given as text.
    private static func parsed(_ text: String) -> OpaquePointer? {
        guard let url = unsafe curl_url() else { return nil }
        if unsafe curl_url_set(url, CURLUPART_URL, text, UInt32(CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME)) == CURLUE_OK {
            return unsafe url
        }
        unsafe curl_url_cleanup(url)
        return nil
    }

    /// `+HOST:PORT:ADDRESS,…` puts the addresses into libcurl's own cache, where they age like any others.
    private static func resolveLines(_ facts: RequestHead.Facts) -> [String] {
        guard !facts.pinnedAddresses.isEmpty, let url = ParsedURL(facts.url) else { return [] }
        let addresses = facts.pinnedAddresses.map { $0.family == .v6 ? "[\($0)]" : "\($0)" }
        return ["+\(url.host):\(url.port):\(addresses.joined(separator: ","))"]
    }
}

/// `UInt64.max` for what is longer than a century, 0 for what is negative.
private func nanoseconds(_ duration: Duration) -> UInt64 {
    let (seconds, attoseconds) = duration.components
    guard seconds >= 0, seconds < 4_000_000_000 else { return seconds < 0 ? 0 : .max }
    return UInt64(seconds) * 1_000_000_000 + UInt64(max(0, attoseconds)) / 1_000_000_000
}
