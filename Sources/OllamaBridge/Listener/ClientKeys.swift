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

    private let digests: [(name: String, digest: [UInt8])]
    /// Whether a key is wanted, be there one or not.
    private let isRequired: Bool

    /// - Parameters:
    ///   - keys: Each either `KEY` or `NAME=KEY`.
    ///   - file: Further keys; nil without a file. A file that holds none lets nobody in.
    init(_ keys: [String], file: [ClientKeysFile.Entry]? = nil) {
        let named = keys.enumerated().map { index, entry in
            let (name, key) = Self.split(entry) ?? ("client-\(index + 1)", entry)
            return (name, Self.digest(key))
        }
        digests = named + (file ?? []).map { ($0.name, $0.sha256 ?? Self.digest($0.key ?? "")) }
        isRequired = file != nil || !keys.isEmpty
    }

    /// The equals signs that end many base64 texts separate nothing.
    private static func split(_ entry: String) -> (name: String, key: String)? {
        guard let equals = entry.firstIndex(of: "="), equals > entry.startIndex else { return nil }
        let key = entry[entry.index(after: equals)...]
        return key.contains { $0 != "=" } ? (String(entry[..<equals]), String(key)) : nil
    }

    /// The key in `KEY` or `NAME=KEY`.
    static func key(_ entry: String) -> String { split(entry)?.key ?? entry }

    private static func digest(_ key: String) -> [UInt8] { Array(SHA256.hash(data: Array(key.utf8))) }

    var isEmpty: Bool { !isRequired }

    func check(_ request: Request, path: String) -> Verdict {
        if !isRequired { return .open }
        if path == "/health" || path == "/ready" || (path == "/" && request.method != .post) { return .open }
        let value = request.headers[.authorization] ?? ""
        let presented = value.lowercased().hasPrefix("bearer ") ? String(value.dropFirst("bearer ".count)) : ""
        let digest = SHA256.hash(data: Array(presented.utf8))
        // Digests are compared in constant time, and always all of them.
        var found: String?
        for candidate in digests where digest == candidate.digest { found = candidate.name }
        guard let found else {
            return .refused(
                OllamaFailure(
                    status: 401, error: "unauthorized", code: "UNAUTHORIZED",
                    detail: "This server wants a client key: send it as \"Authorization: Bearer KEY\"."))
        }
        return .client(found)
    }
}
