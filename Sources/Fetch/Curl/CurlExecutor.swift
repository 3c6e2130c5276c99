/// Runs tasks on the thread on which the bytes arrive, so that reading a stream costs no change of threads.
///
/// Only for short work: what runs here holds up every transfer of the fetcher.
public final class CurlExecutor: TaskExecutor {
    private let engine: CurlEngine

    init(engine: CurlEngine) {
        self.engine = engine
    }

    /// Queues a job for the fetcher's thread.
    public func enqueue(_ job: consuming ExecutorJob) {
        engine.post(.run(QueuedJob(job)))
    }
}

/// A job that waits for its turn; run exactly once.
@safe struct QueuedJob: Sendable {
    private let job: UnownedJob

    init(_ job: consuming ExecutorJob) {
        self.job = UnownedJob(job)
    }

    func run(on executor: CurlExecutor) {
        unsafe job.runSynchronously(on: executor.asUnownedTaskExecutor())
    }
}
