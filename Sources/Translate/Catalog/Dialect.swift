/// How an upstream differs from the plain OpenAI API, as data. The presets are in `DialectPresets`; models.json may override any switch.
public struct Dialect: Sendable, Equatable {
    public var name: String
    public init(name: String) { self.name = name }
}
