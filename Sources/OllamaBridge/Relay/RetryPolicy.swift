import Translate

/// When a failed request to an upstream is sent once more. Only ever before the client was sent a byte.
struct RetryPolicy: Sendable {
    /// Tries in all on one provider.
    var tries = 3
    /// The first pause; each further one is twice as long, and each is cut by up to a half at random so that clients do not march in step.
    var firstPause = Duration.milliseconds(100)
    /// A longer Retry-After is the client's to wait for.
    var longestRetryAfter = 2

    /// - Parameter tried: How often it was sent already, from 1.
    /// - Returns: The pause before the next try; nil to give up.
    func pause(after failure: UpstreamFailure, tried: Int) -> Duration? {
        guard tried < tries, failure.isWorthRetrying else { return nil }
        if let seconds = failure.shown.retryAfter {
            return seconds <= longestRetryAfter ? .seconds(seconds) : nil
        }
        let pause = firstPause * (1 << min(tried - 1, 10))
        return pause * Double.random(in: 0.5...1)
    }
}

/// Why an upstream gave no answer.
struct UpstreamFailure: Error, Sendable {
    /// What the client reads.
    var shown: OllamaFailure
    /// Whether the same request may succeed a moment later: connect errors, 408, 429, 5xx.
    var isWorthRetrying: Bool
    /// Whether it speaks against the provider: another one may do better. A request at fault is at fault everywhere.
    var isProvidersFault: Bool
}
