/// Which web pages may use the bridge, by Ollama's rules: a foreign origin is refused on the request itself, since a page that
/// cannot read an answer can still spend the key.
struct CrossOrigin: Sendable {
    enum Verdict: Equatable {
        /// No page behind the request, or a page of this very server: no headers needed.
        case sameOrigin
        /// Echo this as `Access-Control-Allow-Origin`.
        case allowed(String)
        case refused
    }

    /// Origin patterns; `*` stands for any run of characters.
    private let patterns: [String]
    private let allowsAll: Bool

    /// - Parameter configured: Patterns of OLLAMA_ORIGINS, put before Ollama's own.
    init(configured: [String]) {
        var patterns = configured.map { $0.lowercased() }
        for host in ["localhost", "127.0.0.1", "0.0.0.0"] {
            for scheme in ["http", "https"] { patterns += ["\(scheme)://\(host)", "\(scheme)://\(host):*"] }
        }
        patterns += ["app://*", "file://*", "tauri://*", "vscode-webview://*", "vscode-file://*"]
        self.patterns = patterns
        allowsAll = configured.contains("*")
    }

    func verdict(origin: String?, host: String, fetchSite: String?) -> Verdict {
        guard let origin, !origin.isEmpty else {
            // A page's <img> or <script> sends no Origin, but browsers say where the request comes from.
            return fetchSite == "cross-site" && !allowsAll ? .refused : .sameOrigin
        }
        let lowercase = origin.lowercased()
        if lowercase == "http://\(host.lowercased())" || lowercase == "https://\(host.lowercased())" { return .sameOrigin }
        if allowsAll { return .allowed("*") }
        return patterns.contains { Self.matches(lowercase[...], $0[...]) } ? .allowed(origin) : .refused
    }

    static func matches(_ text: Substring, _ pattern: Substring) -> Bool {
        let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
        guard parts.count > 1 else { return text == pattern }
        guard text.hasPrefix(parts[0]), text.count >= parts[0].count else { return false }
        var rest = text.dropFirst(parts[0].count)
        for part in parts[1..<(parts.count - 1)] where !part.isEmpty {
            guard let range = rest.firstRange(of: part) else { return false }
            rest = rest[range.upperBound...]
        }
        return rest.hasSuffix(parts[parts.count - 1])
    }
}
