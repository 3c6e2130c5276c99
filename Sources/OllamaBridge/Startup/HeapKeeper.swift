import CMalloc
import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// Keeps the memory that large bodies and pictures needed for the next ones, and gives it back to the system once nothing came for a while.
///
/// Left to itself, glibc returns every large block at once, and the next picture pays for each of its pages again: on a virtual machine
/// that is half of what a picture that passes through costs.
final class HeapKeeper: Sendable {
    /// Blocks up to this size come from the heap, which keeps them; glibc's largest (`HEAP_MAX_SIZE` / 2).
    private static let largestKept = 32 << 20
    /// How much free memory at the end of each heap is kept.
    private static let kept = 64 << 20
    private static let quietTime = TimeAmount.seconds(3)

    private struct State {
        var lastUse = NIODeadline.now()
        var isWaiting = false
    }

    private let state = Mutex(State())

    /// For the whole process, once.
    static func keepFreedMemory() {
        // A small container has none to keep.
        mallopt(M_MMAP_THRESHOLD, CInt(min(largestKept, MemoryAllowance.bytes / 128)))
        mallopt(M_TRIM_THRESHOLD, CInt(min(kept, MemoryAllowance.bytes / 64)))
    }

    /// Something that may have been large is over.
    func noteUse() {
        let begins = state.withLock { state in
            state.lastUse = .now()
            defer { state.isWaiting = true }
            return !state.isWaiting
        }
        if begins { look(in: Self.quietTime) }
    }

    private func look(in time: TimeAmount) {
        MultiThreadedEventLoopGroup.singleton.next().scheduleTask(in: time) { [weak self] in
            guard let self else { return }
            let rest = state.withLock { state in
                let rest = state.lastUse + Self.quietTime - .now()
                if rest <= .zero { state.isWaiting = false }
                return rest
            }
            if rest > .zero { return look(in: rest) }
            // Milliseconds, by how much there is to give back: not on an event loop.
            Thread.detachNewThread { malloc_trim(0) }
        }
    }
}
