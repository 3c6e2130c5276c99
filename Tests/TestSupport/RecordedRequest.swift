/// A request as a stub received it.
public struct RecordedRequest: Sendable {
    /// Request line and headers, with the blank line.
    public let head: [UInt8]
    /// The number of the connection it came on, counted from 0.
    public let connection: Int
    /// The body, chunks joined.
    public let body: [UInt8]
    /// When its last byte had been read.
    public let time: ContinuousClock.Instant

    /// `POST /v1/chat/completions HTTP/1.1`
    public var line: String {
        String(decoding: head.prefix { $0 != 0x0d && $0 != 0x0a }, as: UTF8.self)
    }

    /// The first word of the request line.
    public var method: String { line.split(separator: " ").first.map(String.init) ?? "" }

    /// The second word of the request line.
    public var target: String { line.split(separator: " ").dropFirst().first.map(String.init) ?? "" }

    /// Header fields in the order they came.
    public var fields: [(name: String, value: String)] { Self.fields(of: head) }

    /// The value of the first field of that name, in any case; nil if there is none.
    public func field(_ name: String) -> String? {
        fields.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// The body as text.
    public var text: String { String(decoding: body, as: UTF8.self) }

    static func fields(of head: [UInt8]) -> [(name: String, value: String)] {
        String(decoding: head, as: UTF8.self).split(separator: "\r\n").dropFirst().compactMap { line in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            return (String(parts[0]), String(parts[1].drop { $0 == " " }))
        }
    }
}

/// Bytes that stubs send.
public enum StubAnswer {
    /// A whole answer with its length stated.
    public static func whole(_ status: String = "200 OK", headers: [String] = [], body: String = "") -> [UInt8] {
        whole(status, headers: headers, bytes: Array(body.utf8))
    }

    /// A whole answer with its length stated.
    public static func whole(_ status: String = "200 OK", headers: [String] = [], bytes: [UInt8]) -> [UInt8] {
        let lines = ["HTTP/1.1 \(status)", "Content-Length: \(bytes.count)"] + headers
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + bytes
    }

    /// The head of a chunked stream of events.
    public static let eventStreamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"

    /// One chunk.
    public static func chunk(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        return Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + Array("\r\n".utf8)
    }

    /// The chunk that ends the stream.
    public static let lastChunk = Array("0\r\n\r\n".utf8)

    /// Cuts bytes at the given positions.
    public static func cut(_ bytes: [UInt8], at positions: [Int]) -> [[UInt8]] {
        let bounds = [0] + positions.filter { (1..<bytes.count).contains($0) }.sorted() + [bytes.count]
        return zip(bounds, bounds.dropFirst()).map { Array(bytes[$0..<$1]) }
    }
}
