import NIOHTTP1

/// The bytes of responses that the fast path writes (RFC 9112 §4).
enum ResponseBytes {
    /// A response whose body is one JSON object.
    ///
    /// - Parameters:
    ///   - retryAfter: Seconds.
    ///   - closes: Whether it is the connection's last.
    static func whole(_ body: [UInt8], status: Int = 200, retryAfter: Int? = nil, closes: Bool) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(body.count + 256)
        if status == 200 { append("HTTP/1.1 200 OK\r\n", to: &output) } else { appendStatus(status, to: &output) }
        append("Content-Type: application/json; charset=utf-8\r\nContent-Length: ", to: &output)
        output += String(body.count).utf8
        if let retryAfter { output += "\r\nRetry-After: \(retryAfter)".utf8 }
        appendRest(to: &output, closes: closes)
        output += body
        return output
    }

    /// What comes before the chunks of a streamed answer.
    static func appendStreamHead(to output: inout [UInt8], closes: Bool) {
        output.reserveCapacity(512)
        append("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked", to: &output)
        appendRest(to: &output, closes: closes)
    }

    private static func appendStatus(_ status: Int, to output: inout [UInt8]) {
        output += "HTTP/1.1 \(status) \(HTTPResponseStatus(statusCode: status).reasonPhrase)\r\n".utf8
    }

    private static func appendRest(to output: inout [UInt8], closes: Bool) {
        append("\r\nDate: ", to: &output)
        output += Clock.httpDate().utf8
        append(closes ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n", to: &output)
    }

    private static func append(_ text: StaticString, to output: inout [UInt8]) {
        text.withUTF8Buffer { unsafe output.append(contentsOf: $0) }
    }
}
