import CMalloc
import NIOCore
import NIOPosix
import Synchronization

/// Keeps the memory that large bodies and pictures needed for the next ones, and gives it back to the system once none came for a while.
///
/// Left to itself, glibc returns every large block at once, and the next picture pays for each of its pages again: on a virtual machine
/// that is half of what a picture that passes through costs.
final class HeapKeeper: Sendable {
    /// Blocks up to this size come from the heap, which keeps them; glibc's largest (`HEAP_MAX_SIZE` / 2).
    private static let largestKept: CInt = 32 << 20
    /// How much free memory at the end of a heap is kept.
    private static let kept: CInt = 64 << 20
    private static let quietTime = TimeAmount.seconds(3)

    private struct State {
        var lastUse = NIODeadline.now()
        var isWaiting = false
    }

    private let state = Mutex(State())
    private let release: @Sendable () -> Void

    /// - Parameter release: Gives free memory back on a thread that may take its time; calls ``HeapKeeper/releaseFreed()``.
    init(release: @escaping @Sendable () -> Void) {
        self.release = release
        mallopt(M_MMAP_THRESHOLD, Self.largestKept)
        mallopt(M_TRIM_THRESHOLD, Self.kept)
    }

    /// Something large has just been worked on.
    func noteUse() {
        let begins = state.withLock { state in
            state.lastUse = .now()
            defer { state.isWaiting = true }
            return !state.isWaiting
        }
        if begins { look(in: Self.quietTime) }
    }

    static func releaseFreed() { _ = malloc_trim(0) }

    private func look(in time: TimeAmount) {
        MultiThreadedEventLoopGroup.singleton.next().scheduleTask(in: time) { [weak self] in
            guard let self else { return }
            let rest = state.withLock { state in
                let rest = state.lastUse + Self.quietTime - .now()
                if rest <= .zero { state.isWaiting = false }
                return rest
            }
            rest > .zero ? look(in: rest) : release()
        }
    }
}
