/// Why models.json cannot be used: file, place, problem and remedy.
public struct CatalogError: Error, Sendable, Equatable, CustomStringConvertible {
    public var file: String
    /// From 1, where it is known.
    public var line: Int?
    /// Such as `model "gpt-4o"`.
    public var entry: String?
    public var key: String?
    /// What is wrong, without a full stop.
    public var problem: String
    /// What to do about it, as an order, without a full stop.
    public var remedy: String

    /// One line: `models.json:4: model "gpt-4o", key "provider": unknown provider "opneai"; use "openai" or …`.
    public var description: String {
        let place = line.map { "\(file):\($0)" } ?? file
        let parts = [entry, key.map { "key \"\($0)\"" }].compactMap(\.self)
        return "\(place): \(parts.isEmpty ? "" : parts.joined(separator: ", ") + ": ")\(problem); \(remedy)"
    }
}
