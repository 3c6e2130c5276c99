import Translate

/// Who is to blame for a request that failed.
enum Fault: String, Sendable, CaseIterable {
    case client, upstream, bridge

    /// - Returns: nil for a success.
    init?(status: Int, failure: OllamaFailure?) {
        let status = failure?.status ?? status
        switch (status, failure?.code) {
        case (..<400, _): return nil
        case (_, "SERVER_BUSY"), (_, "SHUTTING_DOWN"), (500, _): self = .bridge
        case (429, "BUDGET_SPENT"): self = .client
        case (429, _), (501..., _): self = .upstream
        default: self = .client
        }
    }
}
