import Translate

/// Reads and decodes request bodies; large ones away from the event loop.
struct RequestBodies: Sendable {
    let limits: ListenerLimits
    let workers: PictureWorkers

    /// Parsing this much takes tens of microseconds; more would hold up other connections' streams.
    static let parsedOnEventLoop = 128 << 10

    func decode<Request: Sendable>(
        _ exchange: Exchange, _ decode: @escaping @Sendable (JSONValue) throws(OllamaFailure) -> Request
    ) async throws -> Request {
        let body = try await BodyReader.read(exchange, limit: limits.bodyBytes, findsStretches: true)
        if body.bytes.count <= Self.parsedOnEventLoop { return try decode(RequestBody.parse(body.bytes)) }
        return try await workers.run { _ in try decode(RequestBody.parse(body.bytes, stretches: body.stretches)) }
    }

    func read(_ exchange: Exchange) async throws -> [UInt8] {
        try await BodyReader.read(exchange, limit: limits.bodyBytes).bytes
    }
}
