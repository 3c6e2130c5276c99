import Crypto
import HTTPTypes
import HummingbirdCore
import Translate

/// The keys clients must present when the bridge can be reached from other machines.
struct ClientKeys: Sendable {
    enum Verdict {
        /// No keys are configured.
        case open
        /// The name of the key presented.
        case client(String)
        case refused(OllamaFailure)
    }

    private let digests: [(name: String, digest: SHA256Digest)]

    /// - Parameter keys: Each either `KEY` or `NAME=KEY`.
    init(_ keys: [String]) {
        digests = keys.enumerated().map { index, entry in
            let parts = entry.split(separator: "=", maxSplits: 1)
            let (name, key) = parts.count == 2 ? (String(parts[0]), String(parts[1])) : ("client-\(index + 1)", entry)
            return (name, SHA256.hash(data: Array(key.utf8)))
        }
    }

    func check(_ request: Request, path: String) -> Verdict {
        if digests.isEmpty { return .open }
        if path == "/health" || path == "/ready" || (path == "/" && request.method != .post) { return .open }
        let value = request.headers[.authorization] ?? ""
        let presented = value.lowercased().hasPrefix("bearer ") ? String(value.dropFirst("bearer ".count)) : ""
        let digest = SHA256.hash(data: Array(presented.utf8))
        // Digests are compared in constant time, and always all of them.
        var found: String?
        for candidate in digests where candidate.digest == digest { found = candidate.name }
        guard let found else {
            return .refused(
                OllamaFailure(
                    status: 401, error: "unauthorized", code: "UNAUTHORIZED",
                    detail: "This server wants a client key: send it as \"Authorization: Bearer KEY\"."))
        }
        return .client(found)
    }
}
