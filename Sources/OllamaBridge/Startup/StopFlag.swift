import Synchronization

/// Tells work on another thread, which looks from time to time, that it is no longer wanted. Never cleared.
final class StopFlag: Sendable {
    private let value = Atomic(false)
    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
}
