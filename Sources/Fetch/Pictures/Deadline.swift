/// How a call with a deadline ended.
enum DeadlineOutcome<Value: Sendable>: Sendable {
    case value(Value)
    case tooLate
    case cancelled
}

/// Waits for work that cannot be stopped, but only up to a deadline. What comes later is thrown away.
func withDeadline<Value: Sendable>(_ limit: Duration, _ work: @escaping @Sendable () async -> Value) async -> DeadlineOutcome<Value> {
    let once = FirstCome<DeadlineOutcome<Value>>()
    // Neither task can be a child: a group would wait for the work to end, which is the very thing to avoid.
    let alarm = Task {
        try? await Task.sleep(for: limit)
        once.give(.tooLate)
    }
    defer { alarm.cancel() }
    return await withTaskCancellationHandler {
        await Waiter.wait { waiter in
            once.wait(waiter)
            Task { once.give(.value(await work())) }
        }
    } onCancel: {
        once.give(.cancelled)
    }
}

/// Hands the first of several values to the one who waits.
private final class FirstCome<Value: Sendable>: Sendable {
    private enum State {
        case empty
        case waiting(Waiter<Value>)
        case given(Value)
        case over
    }
    private let state = Guarded(State.empty)

    func wait(_ waiter: Waiter<Value>) {
        let value: Value? = state.withLock { state in
            if case .given(let value) = state {
                state = .over
                return value
            }
            state = .waiting(waiter)
            return nil
        }
        if let value { waiter.resume(value) }
    }

    func give(_ value: Value) {
        let waiter: Waiter<Value>? = state.withLock { state in
            switch state {
            case .empty:
                state = .given(value)
                return nil
            case .waiting(let waiter):
                state = .over
                return waiter
            case .given, .over:
                return nil
            }
        }
        waiter?.resume(value)
    }
}
