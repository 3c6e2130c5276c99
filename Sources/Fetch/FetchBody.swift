/// A response body that is read once, at the reader's pace.
///
/// Ends normally only if the peer ended it properly. Leaving the loop early, or letting go of the body, closes the connection.
public struct FetchBody: AsyncSequence, Sendable {
    /// Some bytes, never none.
    public typealias Element = [UInt8]
    /// What reading can end with.
    public typealias Failure = FetchError
    private let owner: BodyOwner

    init(_ transfer: Transfer) {
        owner = BodyOwner(transfer)
    }

    /// Stops the exchange; whoever reads gets `FetchError.cancelled`.
    public func cancel() {
        owner.transfer.cancel()
    }

    /// The only iterator; a second one takes what the first has left.
    public func makeAsyncIterator() -> Iterator {
        Iterator(body: owner, owner: BodyOwner(owner.transfer))
    }

    /// Reads to the end.
    ///
    /// - Parameter limit: The most bytes to take.
    /// - Throws: `FetchError.tooLarge` if there are more, and whatever ended the exchange early.
    public func collect(upTo limit: Int) async throws(FetchError) -> [UInt8] {
        var iterator = makeAsyncIterator()
        var whole: [UInt8] = []
        while let piece = try await iterator.next() {
            guard piece.count <= limit - whole.count else { throw .tooLarge(limit: limit) }
            if whole.isEmpty {
                whole = piece
            } else {
                whole += piece
            }
        }
        return whole
    }

    /// Hands out pieces as they arrive.
    public struct Iterator: AsyncIteratorProtocol, Sendable {
        /// Held so that the body may be let go of while it is being read.
        fileprivate let body: BodyOwner
        /// Goes with the iterator, so that leaving the loop ends the exchange although the body is still at hand.
        fileprivate let owner: BodyOwner

        /// Ends the exchange; whoever waits for bytes gets `FetchError.cancelled`.
        public func cancel() { owner.transfer.cancel() }

        /// Hands what arrives to `take`, in order and never twice at once, until `take` returns false or there is nothing more; whether the
        /// body ended properly is for ``next()`` to say.
        ///
        /// Bytes that are already here are handed over by the caller's thread, later ones by the fetcher's, without waking the caller. Only
        /// for short work such as translating one event: what runs there holds up every other exchange.
        public func forward(to take: @escaping @Sendable (_ piece: [UInt8]) -> Bool) async {
            await owner.transfer.forward(to: take)
        }

        /// The next bytes; nil at the proper end.
        public mutating func next() async throws(FetchError) -> [UInt8]? {
            try await owner.transfer.nextPiece().get()
        }

        /// The next bytes; nil at the proper end.
        public mutating func next(isolation actor: isolated (any Actor)?) async throws(FetchError) -> [UInt8]? {
            try await owner.transfer.nextPiece(isolation: actor).get()
        }
    }
}

/// Stops the transfer when the last one who could read it is gone.
private final class BodyOwner: Sendable {
    let transfer: Transfer

    init(_ transfer: Transfer) {
        self.transfer = transfer
    }

    deinit {
        transfer.cancel()
    }
}
