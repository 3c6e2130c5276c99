import CCurl

/// A URL as libcurl itself understands it, and in libcurl's own spelling. There is no second parser.
struct ParsedURL: Sendable, Hashable {
    /// The URL as libcurl writes it: numbers for IPv4 in dotted form, no fragment.
    let text: String
    /// In lower case.
    let scheme: String
    /// In lower case, without a trailing dot; an IPv6 address without brackets.
    let host: String
    let port: UInt16
    let hasUserInfo: Bool
    let hasZone: Bool

    /// Nil for what libcurl would not fetch without guessing.
    init?(_ text: String) {
        self.init(text, relativeTo: nil)
    }

    /// Resolves a `Location` against the URL it came from.
    init?(_ text: String, relativeTo base: ParsedURL?) {
        // C strings end at NUL, and no URL holds one.
        guard !text.utf8.contains(0), let url = unsafe curl_url() else { return nil }
        defer { unsafe curl_url_cleanup(url) }
        if let base {
            guard unsafe curl_url_set(url, CURLUPART_URL, base.text, 0) == CURLUE_OK else { return nil }
        }
        guard unsafe curl_url_set(url, CURLUPART_URL, text, UInt32(CURLU_URLENCODE)) == CURLUE_OK else { return nil }
        unsafe curl_url_set(url, CURLUPART_FRAGMENT, nil, 0)
        guard let whole = unsafe Self.part(url, CURLUPART_URL), let scheme = unsafe Self.part(url, CURLUPART_SCHEME),
            // Names in other scripts come in their ASCII form (xn--…) or not at all: turning them depends on the process's locale.
            let host = unsafe Self.part(url, CURLUPART_HOST), host.utf8.allSatisfy({ $0 < 0x80 }),
            let port = unsafe Self.part(url, CURLUPART_PORT, flags: UInt32(CURLU_DEFAULT_PORT)).flatMap(UInt16.init)
        else { return nil }
        self.text = whole
        self.scheme = scheme.lowercased()
        self.port = port
        hasUserInfo = unsafe Self.part(url, CURLUPART_USER) != nil || Self.part(url, CURLUPART_PASSWORD) != nil
        hasZone = unsafe Self.part(url, CURLUPART_ZONEID) != nil
        var name = host.lowercased()
        if name.hasPrefix("["), name.hasSuffix("]") { name = String(name.dropFirst().dropLast()) }
        if name.hasSuffix(".") { name.removeLast() }
        guard !name.isEmpty else { return nil }
        self.host = name
    }

    /// The address, if the host is one.
    var address: IPAddress? { IPAddress(host) }

    private static func part(_ url: OpaquePointer, _ part: CURLUPart, flags: UInt32 = 0) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard unsafe curl_url_get(url, part, &text, flags) == CURLUE_OK, let text = unsafe text else { return nil }
        defer { unsafe curl_free(text) }
        return unsafe String(cString: text)
    }
}
