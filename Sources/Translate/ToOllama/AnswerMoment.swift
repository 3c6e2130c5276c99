/// An instant on two clocks: one that only moves forward, for durations, and the wall's, for `created_at`.
///
/// Always passed in, so that the same bytes at the same moments give the same lines.
public struct AnswerMoment: Sendable, Equatable {
    /// Nanoseconds of a monotonic clock, counted from wherever.
    public var nanoseconds: Int64
    /// Whole seconds of the wall clock since 1970, UTC.
    public var seconds: Int64
    /// Nanoseconds within that second, 0 to 999,999,999.
    public var fraction: Int64

    /// - Parameters:
    ///   - nanoseconds: Monotonic nanoseconds.
    ///   - seconds: Wall-clock seconds since 1970, UTC.
    ///   - fraction: Nanoseconds within that second.
    public init(nanoseconds: Int64, seconds: Int64, fraction: Int64) {
        self.nanoseconds = nanoseconds
        self.seconds = seconds
        self.fraction = fraction
    }

    /// Nanoseconds from an earlier moment to this one; never negative.
    public func since(_ earlier: AnswerMoment) -> Int64 {
        let (difference, overflow) = nanoseconds.subtractingReportingOverflow(earlier.nanoseconds)
        return overflow ? 0 : max(0, difference)
    }
}
