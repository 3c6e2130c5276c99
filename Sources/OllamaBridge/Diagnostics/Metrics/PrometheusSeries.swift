import Metrics
import Synchronization

final class PrometheusCounter: CounterHandler {
    private let count = Atomic<Int64>(0)

    var value: Int64 { count.load(ordering: .relaxed) }

    func increment(by amount: Int64) { count.wrappingAdd(amount, ordering: .relaxed) }
    func reset() { count.store(0, ordering: .relaxed) }
}

final class PrometheusGauge: MeterHandler, RecorderHandler {
    private let state = Mutex(0.0)

    var value: Double { state.withLock { $0 } }

    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { state.withLock { $0 = value } }
    func increment(by amount: Double) { state.withLock { $0 += amount } }
    func decrement(by amount: Double) { state.withLock { $0 -= amount } }
    func record(_ value: Int64) { set(value) }
    func record(_ value: Double) { set(value) }
}

/// A distribution in fixed buckets, of seconds where it times something.
final class PrometheusHistogram: TimerHandler, RecorderHandler {
    /// From a cache hit to a long thought.
    static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

    private struct State {
        var counts = Array(repeating: 0, count: bounds.count + 1)
        var sum = 0.0
    }

    private let state = Mutex(State())

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        let bucket = Self.bounds.firstIndex { value <= $0 } ?? Self.bounds.count
        state.withLock { state in
            state.counts[bucket] += 1
            state.sum += value
        }
    }

    func lines(_ series: PrometheusRegistry.Series) -> [String] {
        let (counts, sum) = state.withLock { ($0.counts, $0.sum) }
        let open = series.labels.isEmpty ? "{" : String(series.labels.dropLast()) + ","
        var total = 0
        var lines: [String] = []
        for (index, count) in counts.enumerated() {
            total += count
            let bound = index < Self.bounds.count ? PrometheusRegistry.number(Self.bounds[index]) : "+Inf"
            lines.append("\(series.name)_bucket\(open)le=\"\(bound)\"} \(total)")
        }
        return lines + ["\(series.name)_sum\(series.labels) \(sum)", "\(series.name)_count\(series.labels) \(total)"]
    }
}
