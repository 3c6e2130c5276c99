import NIOPosix

/// The threads that decode pictures, bounded in number and in pixels. Event loops never decode.
final class PictureWorkers: Sendable {
    /// One thread a core would starve the event loops; more would only add memory.
    static let threads = 2
    /// Pixels being worked on at once. Ten large pictures wait their turn instead of filling memory together.
    static let pixelsInFlight = 100_000_000

    private let pool: NIOThreadPool
    private let pixels = WeightedSemaphore(capacity: pixelsInFlight)

    /// How many pictures wait for room.
    var waiting: Int { pixels.waiting }

    init() {
        pool = NIOThreadPool(numberOfThreads: Self.threads)
        pool.start()
    }

    /// Runs work on a picture thread.
    ///
    /// - Parameters:
    ///   - pixels: What the work will decode; 0 for work that decodes nothing.
    ///   - work: Is told by its argument whether to stop early.
    func run<Value: Sendable>(
        pixels count: Int = 0, _ work: @escaping @Sendable (_ isCancelled: () -> Bool) throws -> Value
    ) async throws -> Value {
        try await pixels.acquire(count)
        defer { pixels.release(count) }
        let flag = StopFlag()
        return try await withTaskCancellationHandler {
            try await pool.runIfActive { try work { flag.isSet } }
        } onCancel: {
            flag.set()
        }
    }

    func stop() async throws { try await pool.shutdownGracefully() }
}
