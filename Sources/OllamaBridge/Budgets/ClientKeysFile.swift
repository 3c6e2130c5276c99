import Foundation
import Translate

/// A file of client keys with names and budgets:
///
///     {"keys": [{"name": "alice", "key": "…", "requests_per_minute": 60, "tokens_per_day": 200000}]}
///
/// Instead of `key`, `sha256` may hold the key's SHA-256 in hexadecimal, so that the file itself opens nothing.
struct ClientKeysFile: Sendable {
    struct Entry: Sendable {
        var name: String
        var key: String?
        var sha256: [UInt8]?
        var budget: Budget
    }

    var entries: [Entry]
    /// Things the operator should know and that do not stop the start.
    var warnings: [String] = []

    /// By the key's name.
    var budgets: [String: Budget] { Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0.budget) }) }

    private static let allowances: [(key: String, path: any WritableKeyPath<Budget, Int?> & Sendable)] = [
        ("requests_per_minute", \.requestsPerMinute), ("requests_per_day", \.requestsPerDay),
        ("tokens_per_minute", \.tokensPerMinute), ("tokens_per_day", \.tokensPerDay),
    ]

    /// - Throws: ``StartupError`` with file, entry and remedy.
    static func read(_ path: String) throws -> ClientKeysFile {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw StartupError("\(path) cannot be read; name the file of client keys with --api-keys-file FILE.")
        }
        guard let root = try? JSONParser.parseFile(Array(data)).object, let list = root["keys"]?.array else {
            throw StartupError("\(path) is no file of client keys; write {\"keys\": [{\"name\": \"alice\", \"key\": \"…\"}]}.")
        }
        var file = ClientKeysFile(entries: [])
        for (index, value) in list.enumerated() {
            let entry = try entry(value.object, "\(path): entry \(index + 1)")
            if file.entries.contains(where: { $0.name == entry.name }) {
                throw StartupError("\(path): two entries are named \"\(entry.name)\"; give each its own name.")
            }
            file.entries.append(entry)
        }
        let mode = (try? FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int) ?? 0
        if mode & 0o077 != 0, file.entries.contains(where: { $0.key != nil }) {
            file.warnings.append("\(path) can be read by others on this machine: chmod 600 it, or give \"sha256\" instead of \"key\".")
        }
        return file
    }

    private static func entry(_ object: JSONObject?, _ place: String) throws -> Entry {
        guard let object, let name = object["name"]?.string, !name.isEmpty, name.utf8.count <= 100 else {
            throw StartupError("\(place) has no \"name\".")
        }
        var entry = Entry(name: name, key: object["key"]?.string, sha256: object["sha256"]?.string.flatMap(bytes), budget: Budget())
        if let key = entry.key { try check(key, place) }
        guard (object["key"] == nil) != (object["sha256"] == nil), entry.key != nil || entry.sha256 != nil else {
            throw StartupError("\(place) (\(name)) needs either \"key\" or \"sha256\" with 64 hexadecimal digits.")
        }
        let known = Set(["name", "key", "sha256"] + allowances.map(\.key))
        if let stranger = object.members.first(where: { !known.contains($0.key) }) {
            throw StartupError(
                "\(place) (\(name)) has an unknown key \"\(stranger.key)\"; known are \(known.sorted().joined(separator: ", ")).")
        }
        for (key, path) in allowances {
            guard let value = object[key] else { continue }
            guard let count = value.number?.integer, count >= 1 else {
                throw StartupError("\(place) (\(name)): \"\(key)\" must be a whole number of at least 1.")
            }
            entry.budget[keyPath: path] = count
        }
        return entry
    }

    /// A key travels in a header.
    static func check(_ key: String, _ place: String) throws {
        guard !key.isEmpty, key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw StartupError("\(place): a client key is letters, digits and signs without spaces or line breaks.")
        }
    }

    private static func bytes(_ hexadecimal: String) -> [UInt8]? {
        let digits = Array(hexadecimal)
        guard digits.count == 64 else { return nil }
        let bytes = stride(from: 0, to: 64, by: 2).compactMap { UInt8(String(digits[$0...($0 + 1)]), radix: 16) }
        return bytes.count == 32 ? bytes : nil
    }
}
