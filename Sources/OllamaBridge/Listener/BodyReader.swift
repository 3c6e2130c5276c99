import HTTPTypes
import HummingbirdCore
import NIOCore
import Translate

/// A request's body, whole.
struct RequestBytes: Sendable {
    var bytes: [UInt8] = []
    var stretches = PlainStretches()
}

/// Reads a request body whole, whatever its Content-Type says: `curl -d` labels JSON as a form.
enum BodyReader {
    /// - Parameter limit: Most bytes; a larger body is refused from its Content-Length before any of it is read.
    static func read(_ exchange: Exchange, limit: Int) async throws -> RequestBytes {
        let request = exchange.request
        if let encoding = request.headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw OllamaFailure(
                status: 415, error: "unsupported content encoding", code: "UNSUPPORTED_ENCODING",
                detail: "Send the body without compression.")
        }
        let announced = request.headers[.contentLength].flatMap { Int($0) }
        if let announced, announced > limit { throw OllamaFailure.bodyTooLarge(bytes: announced, limit: limit) }
        try exchange.lease.takeBody(announced ?? 0)
        exchange.client.wantBody()
        var body = RequestBytes()
        body.bytes.reserveCapacity(announced ?? 0)
        let mayHoldPictures = (announced ?? .max) > RequestBodies.parsedOnEventLoop
        for try await buffer in request.body {
            if body.bytes.count + buffer.readableBytes > limit {
                throw OllamaFailure.bodyTooLarge(bytes: nil, limit: limit)
            }
            if announced == nil { try exchange.lease.takeBody(buffer.readableBytes) }
            unsafe buffer.withUnsafeReadableBytes { unsafe body.bytes.append(contentsOf: $0) }
            if mayHoldPictures { body.stretches.lookAt(body.bytes) }
        }
        return body
    }
}
