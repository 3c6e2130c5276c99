/// What one client key may use; nil sets no limit.
struct Budget: Sendable, Equatable {
    var requestsPerMinute: Int?
    var requestsPerDay: Int?
    /// Tokens are known only afterwards, so a budget is spent by the answer that crosses it.
    var tokensPerMinute: Int?
    var tokensPerDay: Int?

    var isUnlimited: Bool { self == Budget() }
}

/// What one client key has used, in the running minute and the running day of UTC.
struct Usage: Sendable, Equatable {
    struct Window: Sendable, Equatable {
        /// Minutes or days since 1970.
        var number: Int64 = 0
        var requests = 0
        var tokens = 0

        fileprivate mutating func turn(to number: Int64) {
            if number != self.number { self = Window(number: number) }
        }

        /// Upstreams may say what they like; what is more than can be counted is more than any budget.
        fileprivate mutating func spend(_ tokens: Int) {
            let (sum, overflow) = self.tokens.addingReportingOverflow(tokens)
            self.tokens = overflow ? .max : sum
        }
    }

    var minute = Window()
    var day = Window()

    private mutating func turn(_ seconds: Int64) {
        minute.turn(to: seconds / 60)
        day.turn(to: seconds / 86_400)
    }

    /// Counts a request if the budget allows it.
    ///
    /// - Parameter seconds: Since 1970.
    /// - Returns: nil if it is allowed, else the seconds until it may be.
    mutating func request(within budget: Budget, at seconds: Int64) -> Int? {
        turn(seconds)
        if isSpent(day, budget.requestsPerDay, budget.tokensPerDay) { return Int(86_400 - seconds % 86_400) }
        if isSpent(minute, budget.requestsPerMinute, budget.tokensPerMinute) { return Int(60 - seconds % 60) }
        minute.requests += 1
        day.requests += 1
        return nil
    }

    mutating func spend(tokens: Int, at seconds: Int64) {
        turn(seconds)
        minute.spend(tokens)
        day.spend(tokens)
    }

    private func isSpent(_ window: Window, _ requests: Int?, _ tokens: Int?) -> Bool {
        requests.map { window.requests >= $0 } ?? false || tokens.map { window.tokens >= $0 } ?? false
    }
}
