/// What an answer's headers allow a cache to do with it (RFC 9111, for a cache that serves more than one client). Pure.
struct CacheRules: Sendable, Hashable {
    /// Seconds since 1970 up to which the bytes may be used without asking.
    var freshUntil: Int
    var etag: String?
    var lastModified: String?

    /// Nil if the answer must not be kept, or could never be used again.
    ///
    /// - Parameter now: Seconds since 1970.
    init?(_ headers: FetchHeaders, now: Int) {
        let directives = Self.directives(headers)
        let etag = headers["ETag"]
        let lastModified = headers["Last-Modified"].flatMap { HTTPDate.parse($0) == nil ? nil : $0 }
        guard directives["no-store"] == nil, directives["private"] == nil, !headers.values("Vary").contains(where: { $0.contains("*") })
        else { return nil }
        let freshFor = directives["no-cache"] == nil ? Self.lifetime(headers, directives, now: now) : 0
        guard freshFor > 0 || etag != nil || lastModified != nil else { return nil }
        self.etag = etag
        self.lastModified = lastModified
        freshUntil = now + freshFor
    }

    /// Headers for asking whether the bytes are still good.
    var conditions: [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        if let etag { fields.append(("If-None-Match", etag)) }
        if let lastModified { fields.append(("If-Modified-Since", lastModified)) }
        return fields
    }

    /// No picture is believed for longer than this without asking, whatever its host says.
    private static let longestLifetime = 7 * 86_400

    private static func lifetime(_ headers: FetchHeaders, _ directives: [String: String], now: Int) -> Int {
        // Time it has already spent in other caches counts.
        let age = min(max(headers["Age"].flatMap { Int($0) } ?? 0, 0), longestLifetime)
        if let stated = directives["s-maxage"] ?? directives["max-age"] {
            guard let seconds = Int(stated), seconds > 0 else { return 0 }
            return max(0, min(seconds, longestLifetime) - age)
        }
        guard let expires = headers["Expires"].flatMap(HTTPDate.parse) else { return 0 }
        let date = headers["Date"].flatMap(HTTPDate.parse) ?? now
        return max(0, min(expires - date, longestLifetime) - age)
    }

    /// `Cache-Control` as names in lower case with their arguments; the first of a name counts.
    private static func directives(_ headers: FetchHeaders) -> [String: String] {
        var directives: [String: String] = [:]
        for part in headers.values("Cache-Control").joined(separator: ",").lowercased().split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = trimmed(pair[0])
            guard !name.isEmpty, directives[name] == nil else { continue }
            directives[name] = pair.count == 2 ? trimmed(pair[1]) : ""
        }
        return directives
    }

    private static func trimmed(_ text: Substring) -> String {
        func isEdge(_ character: Character) -> Bool { character == " " || character == "\t" || character == "\"" }
        guard let first = text.firstIndex(where: { !isEdge($0) }), let last = text.lastIndex(where: { !isEdge($0) }) else { return "" }
        return String(text[first...last])
    }
}
