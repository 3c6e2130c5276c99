/// Why a picture could not be had from its URL.
public enum ImageFetchError: Error, Sendable, Hashable {
    /// Not an `http` or `https` URL that one can dial, or one with a user name in it.
    case unsupportedURL
    /// The host answered with this status.
    case status(Int)
    /// A limit on time was reached.
    case timedOut
    /// The picture is larger than the limit, in bytes.
    case tooLarge(limit: Int)
    /// The address, the name or the port is one that may not be dialled, or https led to http.
    case addressNotAllowed
    /// More redirects than are followed.
    case tooManyRedirects
    /// No connection.
    case couldNotConnect(detail: String)
    /// The connection ended before the answer did, or what came is no HTTP.
    case brokeOff(detail: String)
    /// The caller's task was cancelled.
    case cancelled

    /// The documented short reason, to stand behind `failed to fetch image: `; nil for `unsupportedURL`, which has a message of its own, and
    /// for `cancelled`, which nobody reads.
    public var reason: String? {
        switch self {
        case .unsupportedURL, .cancelled: nil
        case .status(let status): String(status)
        case .timedOut: "timed out"
        case .tooLarge: "too large"
        case .addressNotAllowed: "address not allowed"
        case .tooManyRedirects: "too many redirects"
        case .couldNotConnect, .brokeOff: "could not connect"
        }
    }
}
