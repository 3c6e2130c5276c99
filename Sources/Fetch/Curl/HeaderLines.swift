/// The header lines of a request, as libcurl takes them.
enum HeaderLines {
    /// Fields that are libcurl's own business.
    private static let owned = ["Content-Length", "Transfer-Encoding", "Host", "Expect"]

    /// - Parameters:
    ///   - userAgent: Named unless the fields do. As a line it costs less than as libcurl's option, which writes it twice.
    ///   - bodyIsRead: Before such a one libcurl, left to itself, waits for "100 Continue". libcurl goes through all lines a dozen times.
    /// - Throws: `badRequest` for what would break the lines.
    static func make(_ fields: [(name: String, value: String)], userAgent: String, bodyIsRead: Bool) throws(FetchError) -> [String] {
        var lines = bodyIsRead ? ["Expect:"] : []
        var named: (type: Bool, agent: Bool) = (false, false)
        for (name, value) in fields {
            guard isToken(name) else { throw .badRequest(detail: "a header's name is not a token") }
            guard value.utf8.allSatisfy({ $0 != 0 && $0 != 0x0a && $0 != 0x0d }) else {
                throw .badRequest(detail: "the value of \(name) holds a line break or NUL")
            }
            if owned.contains(where: { isSameField($0, name) }) { continue }
            if isSameField(name, "Content-Type") { named.type = true }
            if isSameField(name, "User-Agent") { named.agent = true }
            lines.append(value.utf8.allSatisfy(isBlank) ? name + ";" : name + ": " + value)
        }
        // Left to itself, libcurl calls every body a form.
        if !named.type { lines.append("Content-Type:") }
        if !named.agent { lines.append("User-Agent: " + userAgent) }
        return lines
    }
}

/// RFC 9110 §5.6.2.
func isToken(_ text: String) -> Bool {
    !text.isEmpty
        && text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
            default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
        }
}
