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
        engine.post(.run(QueuedJob(job, on: self)))
    }
}

/// A job that waits for its turn; run exactly once.
@safe struct QueuedJob: Sendable {
    private let job: UnownedJob
    /// The very object that the task prefers: on any other it would ask to change executors at every call it waits for.
    private let executor: CurlExecutor

    init(_ job: consuming ExecutorJob, on executor: CurlExecutor) {
        self.job = UnownedJob(job)
        self.executor = executor
    }

    func run() {
        unsafe job.runSynchronously(on: executor.asUnownedTaskExecutor())
    }
}
