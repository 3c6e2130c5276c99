/// Keeps requests away from a provider that keeps failing, and lets one through now and then to see whether it is back.
///
/// Pure: the clock is passed in.
struct CircuitBreaker: Sendable {
    enum State: String, Sendable {
        case closed, open
        /// One request is on its way as a probe.
        case halfOpen = "half_open"
    }

    /// This many failures in a row open the circuit.
    static let consecutiveFailures = 5
    /// So does this share of failures among the last outcomes, once there are enough of them.
    static let failureRatio = 0.5
    static let window = 20
    /// How long it stays open at first; doubled after each failed probe up to the longest.
    static let firstPause: Int64 = 10_000_000_000
    static let longestPause: Int64 = 60_000_000_000

    private(set) var state = State.closed
    private var outcomes: [Bool] = []
    private var failuresInARow = 0
    private var pause = firstPause
    private var opensAgainAt: Int64 = 0

    /// Whether a request may be sent now. Asking turns an open circuit whose pause is over half-open: the asker is the probe.
    mutating func admits(now: Int64) -> Bool {
        switch state {
        case .closed: return true
        case .halfOpen: return false
        case .open:
            guard now >= opensAgainAt else { return false }
            state = .halfOpen
            return true
        }
    }

    mutating func succeeded() {
        if state != .closed {
            self = CircuitBreaker()
            return
        }
        failuresInARow = 0
        note(true)
    }

    mutating func failed(now: Int64) {
        failuresInARow += 1
        note(false)
        switch state {
        case .halfOpen:
            pause = min(pause * 2, Self.longestPause)
            open(now)
        case .closed:
            let failures = outcomes.count { !$0 }
            let isRatioReached = outcomes.count == Self.window && Double(failures) >= Self.failureRatio * Double(Self.window)
            if failuresInARow >= Self.consecutiveFailures || isRatioReached { open(now) }
        case .open: break
        }
    }

    /// A probe that ended without saying anything about the provider, because the client left.
    mutating func abandoned(now: Int64) {
        if state == .halfOpen { open(now) }
    }

    /// Seconds until a probe is let through, at least 1.
    func secondsLeft(now: Int64) -> Int { max(1, Int((opensAgainAt - now) / 1_000_000_000)) }

    private mutating func open(_ now: Int64) {
        state = .open
        opensAgainAt = now + pause
        outcomes = []
    }

    private mutating func note(_ isSuccess: Bool) {
        outcomes.append(isSuccess)
        if outcomes.count > Self.window { outcomes.removeFirst() }
    }
}
