/// Placeholder.
final class CurlEngine: Sendable {
    struct Gauges { var transfers = 0, connections = 0 }
    var gauges: Gauges { Gauges() }
    init(_ configuration: FetcherConfiguration) {}
    func stop() {}
    func stopAndWait() async {}
}
final class Transfer: Sendable {
    struct Head: Sendable { var status: Int; var headers: FetchHeaders; var timings: FetchTimings }
    init(_ request: FetchRequest, engine: CurlEngine) {}
    func head() async -> Result<Head, FetchError> { .failure(.shutDown) }
    func nextPiece() async -> Result<[UInt8]?, FetchError> { .success(nil) }
    func nextPiece(isolation: isolated (any Actor)?) async -> Result<[UInt8]?, FetchError> { .success(nil) }
    func cancel() {}
}
