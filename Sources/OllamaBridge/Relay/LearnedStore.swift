import Synchronization
import Translate

/// What refusals taught, per model of each provider.
final class LearnedStore: Sendable {
    private let state = Mutex<[String: LearnedAdjustments]>([:])

    func adjustments(for model: ResolvedModel) -> LearnedAdjustments {
        state.withLock { $0.isEmpty ? nil : $0[Self.key(model)] } ?? LearnedAdjustments()
    }

    func learn(_ lesson: LearnedAdjustments.Adjustment, for model: ResolvedModel) {
        state.withLock { $0[Self.key(model), default: LearnedAdjustments()].apply(lesson) }
    }

    private static func key(_ model: ResolvedModel) -> String { "\(model.provider.name)\u{0}\(model.upstreamID)" }
}
