/// The two ways a small chat can take through the bridge. What clients see must not tell them apart.
enum Path: String, Sendable, CaseIterable {
    /// On the fetcher's thread, if the request is as plain as those of ``Ask``.
    case fast
    /// Through the server library.
    case whole

    /// The request in a form that goes this way.
    func of(_ request: String) -> String {
        switch self {
        case .fast: request
        // A question about cross-origin is never the fast path's.
        case .whole: request.replacing("Host: localhost\r\n", with: "Host: localhost\r\nOrigin: http://localhost\r\n")
        }
    }
}
