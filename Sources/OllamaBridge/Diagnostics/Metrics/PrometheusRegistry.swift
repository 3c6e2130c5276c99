import Metrics
import Synchronization

/// A backend for swift-metrics that writes Prometheus' text format (version 0.0.4).
final class PrometheusRegistry: MetricsFactory {
    /// One time series: a name and its labels.
    struct Series: Hashable, Sendable {
        let name: String
        /// `{a="b",c="d"}`, or empty.
        let labels: String

        init(_ label: String, _ dimensions: [(String, String)]) {
            name = Self.clean(label)
            labels =
                dimensions.isEmpty ? "" : "{" + dimensions.map { "\(Self.clean($0))=\"\(Self.escape($1))\"" }.joined(separator: ",") + "}"
        }

        /// Names carry letters, digits and `_` only.
        private static func clean(_ name: String) -> String {
            String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "_" || $0 == ":" ? $0 : "_" })
        }

        private static func escape(_ value: String) -> String {
            value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
        }
    }

    /// A series as it is asked for. Making names and labels fit for Prometheus costs more than counting, so it is done once.
    private struct Request: Hashable {
        let label: String
        let dimensions: [String]

        init(_ label: String, _ dimensions: [(String, String)]) {
            self.label = label
            self.dimensions = dimensions.flatMap { [$0.0, $0.1] }
        }
    }

    private struct State {
        /// Bounded as the series are.
        var known: [Request: Series] = [:]
        var counters: [Series: PrometheusCounter] = [:]
        var gauges: [Series: PrometheusGauge] = [:]
        var histograms: [Series: PrometheusHistogram] = [:]
        var help: [String: String] = [:]

        mutating func series(_ label: String, _ dimensions: [(String, String)]) -> Series {
            let request = Request(label, dimensions)
            if let known = known[request] { return known }
            let series = Series(label, dimensions)
            known[request] = series
            return series
        }
    }

    private let state = Mutex(State())

    /// - Parameter help: What the metric of that name says, in one sentence.
    func describe(_ name: String, _ help: String) { state.withLock { $0.help[name] = help } }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        state.withLock { state in
            let series = state.series(label, dimensions)
            let counter = state.counters[series] ?? PrometheusCounter()
            state.counters[series] = counter
            return counter
        }
    }

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler { gauge(label, dimensions) }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        aggregate ? histogram(label, dimensions) : gauge(label, dimensions)
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { histogram(label, dimensions) }

    private func gauge(_ label: String, _ dimensions: [(String, String)]) -> PrometheusGauge {
        state.withLock { state in
            let series = state.series(label, dimensions)
            let gauge = state.gauges[series] ?? PrometheusGauge()
            state.gauges[series] = gauge
            return gauge
        }
    }

    private func histogram(_ label: String, _ dimensions: [(String, String)]) -> PrometheusHistogram {
        state.withLock { state in
            let series = state.series(label, dimensions)
            let histogram = state.histograms[series] ?? PrometheusHistogram()
            state.histograms[series] = histogram
            return histogram
        }
    }

    // Series live as long as the process; their number is bounded by routes, statuses, models and providers.
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyMeter(_ handler: any MeterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}

    /// All series, sorted by name.
    func text() -> String {
        let state = state.withLock { State(counters: $0.counters, gauges: $0.gauges, histograms: $0.histograms, help: $0.help) }
        var lines: [String: [String]] = [:]
        var types: [String: String] = [:]
        for (series, counter) in state.counters {
            types[series.name] = "counter"
            lines[series.name, default: []].append("\(series.name)\(series.labels) \(counter.value)")
        }
        for (series, gauge) in state.gauges {
            types[series.name] = "gauge"
            lines[series.name, default: []].append("\(series.name)\(series.labels) \(Self.number(gauge.value))")
        }
        for (series, histogram) in state.histograms {
            types[series.name] = "histogram"
            lines[series.name, default: []] += histogram.lines(series)
        }
        let metrics = lines.keys.sorted().map { name in
            var metric = ["# TYPE \(name) \(types[name] ?? "untyped")"]
            if let help = state.help[name] { metric.insert("# HELP \(name) \(help)", at: 0) }
            // A histogram's lines have an order of their own.
            return (metric + (types[name] == "histogram" ? lines[name] ?? [] : (lines[name] ?? []).sorted())).joined(separator: "\n")
        }
        return metrics.joined(separator: "\n") + "\n"
    }

    static func number(_ value: Double) -> String {
        value.rounded() == value && value.magnitude < 1e15 ? String(Int64(value)) : String(value)
    }
}
