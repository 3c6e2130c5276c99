/// What earlier refusals taught about one model of one upstream.
public struct LearnedAdjustments: Sendable, Equatable {
    /// Parameters that are no longer sent.
    public var dropped: Set<String> = []
    /// Parameters that go by another name.
    public var renamed: [String: String] = [:]

    public init() {}

    /// One lesson from one refusal.
    public enum Adjustment: Sendable, Equatable {
        case drop(String)
        case rename(String, to: String)
    }

    public mutating func apply(_ adjustment: Adjustment) {}

    /// What to change before trying once more, if the refusal says it.
    ///
    /// - Parameters:
    ///   - sent: The parameters of the refused request, so that an unrelated word in the text teaches nothing.
    public static func learn(status: Int, body: [UInt8], sent: Set<String>) -> Adjustment? { nil }
}
