import Testing
import Translate

@testable import OllamaBridge

@Suite struct CircuitBreakerTests {
    private static let second: Int64 = 1_000_000_000

    /// `admits` changes the breaker, which an expectation must not.
    private func admits(_ breaker: inout CircuitBreaker, at seconds: Double) -> Bool {
        breaker.admits(now: Int64(seconds * Double(Self.second)))
    }

    private func opened() -> CircuitBreaker {
        var breaker = CircuitBreaker()
        for _ in 0..<CircuitBreaker.consecutiveFailures { breaker.failed(now: 0) }
        return breaker
    }

    @Test func `five failures in a row open it, four do not`() {
        var breaker = CircuitBreaker()
        for _ in 0..<4 { breaker.failed(now: 0) }
        breaker.succeeded()
        for _ in 0..<4 { breaker.failed(now: 0) }
        #expect(breaker.state == .closed)
        breaker.failed(now: 0)
        let isAdmitted = admits(&breaker, at: 9)
        #expect(breaker.state == .open && !isAdmitted)
        #expect(breaker.secondsLeft(now: 4 * Self.second) == 6)
    }

    @Test func `half of the last twenty open it though never five in a row`() {
        var breaker = CircuitBreaker()
        for _ in 0..<9 {
            breaker.succeeded()
            breaker.failed(now: 0)
        }
        #expect(breaker.state == .closed)
        breaker.succeeded()
        breaker.failed(now: 0)
        #expect(breaker.state == .open)
    }

    @Test func `after its pause one request is let through, and its success closes it`() {
        var breaker = opened()
        let answers = [admits(&breaker, at: 9.99), admits(&breaker, at: 10), admits(&breaker, at: 10)]
        #expect(answers == [false, true, false] && breaker.state == .halfOpen)
        breaker.succeeded()
        let isAdmitted = admits(&breaker, at: 10)
        #expect(isAdmitted && breaker.state == .closed)
    }

    @Test func `a probe that fails doubles the pause, up to a minute`() {
        var breaker = opened()
        var now = 0.0
        for seconds in [10.0, 20, 40, 60, 60] {
            let answers = [admits(&breaker, at: now + seconds - 0.01), admits(&breaker, at: now + seconds)]
            #expect(answers == [false, true])
            now += seconds
            breaker.failed(now: Int64(now) * Self.second)
        }
    }

    @Test func `a probe whose client left says nothing, and another one is let through later`() {
        var breaker = opened()
        var answers = [admits(&breaker, at: 10)]
        breaker.abandoned(now: 10 * Self.second)
        answers += [admits(&breaker, at: 11), admits(&breaker, at: 20)]
        #expect(answers == [true, false, true])
    }
}

@Suite struct RetryPolicyTests {
    private func failure(_ isWorthRetrying: Bool = true, retryAfter: Int? = nil) -> UpstreamFailure {
        let shown = OllamaFailure(status: 503, error: "x", retryAfter: retryAfter)
        return UpstreamFailure(shown: shown, isWorthRetrying: isWorthRetrying, isProvidersFault: true)
    }

    @Test func `three tries, with pauses that grow and are never quite alike`() {
        let policy = RetryPolicy()
        let first = (0..<50).compactMap { _ in policy.pause(after: failure(), tried: 1) }
        let second = (0..<50).compactMap { _ in policy.pause(after: failure(), tried: 2) }
        #expect(first.allSatisfy { $0 >= .milliseconds(50) && $0 <= .milliseconds(100) } && Set(first).count > 10)
        #expect(second.allSatisfy { $0 >= .milliseconds(100) && $0 <= .milliseconds(200) })
        #expect(policy.pause(after: failure(), tried: 3) == nil)
    }

    @Test func `a short Retry-After is honoured, a long one is the client's`() {
        let policy = RetryPolicy()
        #expect(policy.pause(after: failure(retryAfter: 2), tried: 1) == .seconds(2))
        #expect(policy.pause(after: failure(retryAfter: 3), tried: 1) == nil)
        #expect(policy.pause(after: failure(false), tried: 1) == nil)
    }

    @Test func `retries are a fifth of the requests at most`() {
        let health = ProviderHealth()
        var taken = 0
        for _ in 0..<1000 where health.takeRetry("p") { taken += 1 }
        #expect(taken == 10)
        for _ in 0..<100 { health.note(.answered(nanoseconds: 1), "p") }
        for _ in 0..<1000 where health.takeRetry("p") { taken += 1 }
        #expect(taken == 20)
    }
}
