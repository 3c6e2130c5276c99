import HTTPTypes
import HummingbirdCore
import NIOCore
import Translate

/// Reads a request body whole, whatever its Content-Type says: `curl -d` labels JSON as a form.
enum BodyReader {
    /// - Parameters:
    ///   - limit: Most bytes; a larger body is refused from its Content-Length before any of it is read.
    ///   - findsStretches: Whether ``RequestBytes/stretches`` are wanted.
    static func read(_ exchange: Exchange, limit: Int, findsStretches: Bool = false) async throws -> RequestBytes {
        let request = exchange.request
        if let encoding = request.headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw OllamaFailure(
                status: 415, error: "unsupported content encoding", code: "UNSUPPORTED_ENCODING",
                detail: "Send the body without compression.")
        }
        // The parser let in nothing but digits: what is no Int has too many of them.
        let announced = request.headers[.contentLength].map { Int($0) ?? .max }
        if let announced, announced > limit { throw OllamaFailure.bodyTooLarge(bytes: announced < .max ? announced : nil, limit: limit) }
        try exchange.lease.takeBody(announced ?? 0)
        exchange.client.wantBody()
        var parts = request.body.makeAsyncIterator()
        var body = RequestBytes(announced: announced, findsStretches: findsStretches)
        if let announced, announced > RequestBodies.parsedOnEventLoop, let (sink, onTheirWay) = exchange.client.divertBody(of: announced) {
            defer { sink.close() }
            while body.bytes.count < onTheirWay, let part = try await parts.next() { body.append(part) }
            sink.open(behind: &body)
            // Nothing comes this way any more but the body's end, or an error.
            while try await parts.next() != nil {}
            body = sink.close()
            guard body.bytes.count == announced else { throw CancellationError() }
            return body
        }
        while let part = try await parts.next() {
            if body.bytes.count + part.readableBytes > limit {
                throw OllamaFailure.bodyTooLarge(bytes: nil, limit: limit)
            }
            if announced == nil { try exchange.lease.takeBody(part.readableBytes) }
            body.append(part)
        }
        return body
    }
}
