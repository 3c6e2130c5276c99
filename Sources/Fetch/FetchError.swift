/// Why an exchange did not come to a good end.
///
/// `detail` carries libcurl's words, meant for the log and for nobody else; it never holds a header or a body.
public enum FetchError: Error, Sendable, Hashable {
    /// The URL is not one that can be fetched.
    case badURL
    /// The method or a header cannot go on the wire (a line break in it, for instance). A mistake of the caller.
    case badRequest(detail: String)
    /// The host's name has no address.
    case couldNotResolve(detail: String)
    /// No connection could be made.
    case couldNotConnect(detail: String)
    /// The peer could not prove who it is, or TLS failed otherwise.
    case tlsFailed(detail: String)
    /// The address behind the name may not be dialled.
    case addressRefused
    /// A phase took longer than its limit.
    case timedOut(FetchPhase)
    /// More came than was allowed; the limit in bytes.
    case tooLarge(limit: Int)
    /// The connection ended before the answer did.
    case closedEarly(detail: String)
    /// What came is not HTTP as it should be.
    case protocolError(detail: String)
    /// The task was cancelled, or the body was let go of.
    case cancelled
    /// The fetcher has been shut down.
    case shutDown

    /// Words for the log; nil where the case says it all.
    public var detail: String? {
        switch self {
        case .badRequest(let detail), .couldNotResolve(let detail), .couldNotConnect(let detail), .tlsFailed(let detail),
            .closedEarly(let detail), .protocolError(let detail):
            detail
        case .badURL, .addressRefused, .timedOut, .tooLarge, .cancelled, .shutDown:
            nil
        }
    }

    /// Whether the peer cannot have seen any of the request, so that sending it again can do no harm.
    public var happenedBeforeSending: Bool {
        switch self {
        case .badURL, .badRequest, .couldNotResolve, .couldNotConnect, .tlsFailed, .addressRefused, .timedOut(.connecting): true
        case .timedOut, .tooLarge, .closedEarly, .protocolError, .cancelled, .shutDown: false
        }
    }
}

/// The phases of an exchange that have limits.
public enum FetchPhase: String, Sendable, Hashable {
    /// Name lookup, TCP, TLS.
    case connecting
    /// The request is going out or has gone out; no final response yet.
    case firstByte
    /// The response is coming in.
    case idle
    /// All of it together.
    case total
}
