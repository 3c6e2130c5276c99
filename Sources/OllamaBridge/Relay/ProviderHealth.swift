import Synchronization
import Translate

/// What recent requests said about each provider: breaker, latency, and the budget for retries.
final class ProviderHealth: Sendable {
    private struct Entry {
        var breaker = CircuitBreaker()
        /// Smoothed nanoseconds to the response's headers; nil before the first answer.
        var latency: Double?
        var retryTokens = RetryBudget.capacity

        mutating func note(_ outcome: Outcome, now: Int64) {
            switch outcome {
            case .answered(let nanoseconds):
                breaker.succeeded()
                latency = (latency ?? Double(nanoseconds)) * 0.8 + Double(nanoseconds) * 0.2
                retryTokens = min(retryTokens + RetryBudget.perRequest, RetryBudget.capacity)
            case .failed: breaker.failed(now: now)
            case .inconclusive: breaker.abandoned(now: now)
            }
        }
    }

    /// How a request to a provider ended, as far as the provider is concerned.
    enum Outcome: Sendable {
        case answered(nanoseconds: Int64)
        case failed
        /// The client left, or the request itself was at fault.
        case inconclusive
    }

    /// Retries are a fifth of the requests at most, so that they never multiply an outage.
    private enum RetryBudget {
        static let capacity = 10.0
        static let perRequest = 0.2
    }

    private let state = Mutex<[String: Entry]>([:])

    /// Whether a request may be sent; a yes to an open circuit makes the asker its probe.
    func admits(_ provider: String) -> Bool {
        let now = Clock.now().nanoseconds
        return state.withLock { $0[provider, default: Entry()].breaker.admits(now: now) }
    }

    func note(_ outcome: Outcome, _ provider: String) {
        let now = Clock.now().nanoseconds
        state.withLock { $0[provider, default: Entry()].note(outcome, now: now) }
    }

    /// Takes one retry from the provider's budget, if there is one.
    func takeRetry(_ provider: String) -> Bool {
        state.withLock { entries in
            guard entries[provider, default: Entry()].retryTokens >= 1 else { return false }
            entries[provider, default: Entry()].retryTokens -= 1
            return true
        }
    }

    func latency(_ provider: String) -> Double? { state.withLock { $0[provider]?.latency } }

    /// Seconds until the first of these providers is tried again.
    func secondsUntilProbe(_ providers: [String]) -> Int {
        let now = Clock.now().nanoseconds
        return state.withLock { entries in
            providers.compactMap { entries[$0]?.breaker.secondsLeft(now: now) }.min() ?? 1
        }
    }

    /// For `/bridge/status` and metrics.
    var breakers: [(provider: String, state: CircuitBreaker.State)] {
        state.withLock { entries in entries.map { ($0.key, $0.value.breaker.state) }.sorted { $0.0 < $1.0 } }
    }
}
