import NIOCore

/// Notices a client that takes nothing although bytes wait for it.
struct WriteStall {
    private var written = 0
    private var lastLook: (written: Int, waiting: Int)?
    private var lastProgress = NIODeadline.now()

    mutating func answerBegan() {
        lastLook = nil
        lastProgress = .now()
    }

    mutating func wrote(_ bytes: Int) { written += bytes }

    /// To be asked now and then while an answer is written.
    mutating func isStalled(_ channel: any Channel, limit: TimeAmount) -> Bool {
        let waiting = (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        // Chunk frames are not counted in `written`, so a few of them can only hide progress of as few bytes, never invent any.
        let hasProgressed = lastLook.map { waiting < $0.waiting + (written - $0.written) } ?? true
        if waiting == 0 || hasProgressed { lastProgress = .now() }
        lastLook = (written, waiting)
        return lastProgress + limit <= .now()
    }
}
