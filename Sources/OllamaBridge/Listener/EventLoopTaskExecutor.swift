import NIOCore

/// Runs a connection's tasks on the connection's own event loop.
///
/// Without it every streamed line would travel upstream thread → concurrency pool → event loop; with it the middle hop is gone.
final class EventLoopTaskExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
