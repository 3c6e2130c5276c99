/// Why models.json cannot be used, in one sentence that names file, place and remedy.
public struct CatalogError: Error, Sendable, Equatable, CustomStringConvertible {
    public var file: String
    /// From 1, where it is known.
    public var line: Int?
    /// Such as `model "gpt-4o"`.
    public var entry: String?
    public var key: String?
    public var problem: String
    public var remedy: String

    public var description: String { problem }
}
