/// A whole request that the fast path understands, found in the bytes of a connection.
///
/// Not a second reading of HTTP: whatever is not written in the plainest way — another route, chunks, a question about cross-origin, anything
/// that two readers could understand differently — is ``Reading/other``, and the server library reads those same bytes.
struct PlainRequest: Equatable {
    enum Route: Equatable { case chat, generate }

    enum Reading: Equatable {
        case whole(PlainRequest)
        /// Nothing speaks against it so far, and more has to come.
        case incomplete
        case other
    }

    /// Head and body together. Reading the JSON of this much takes tens of microseconds; more would hold up everybody's streams.
    static let longest = 64 << 10
    private static let longestHead = 8 << 10
    private static let mostFields = 64

    let route: Route
    /// The value of the one Host field, not checked.
    var host = 0..<0
    /// Never empty.
    var body = 0..<0

    static func read(_ bytes: Span<UInt8>) -> Reading {
        var position = 0
        let route: Route
        switch (match(bytes, "POST /api/chat HTTP/1.1\r\n"), match(bytes, "POST /api/generate HTTP/1.1\r\n")) {
        case (.whole(let end), _): (route, position) = (.chat, end)
        case (_, .whole(let end)): (route, position) = (.generate, end)
        case (.beginning, _), (_, .beginning): return .incomplete
        case (.no, .no): return .other
        }
        var request = PlainRequest(route: route)
        var length: Int?
        for _ in 0...mostFields {
            guard position <= longestHead else { return .other }
            switch HeaderLine.read(bytes, at: &position) {
            case .incomplete: return .incomplete
            case .other: return .other
            case .end: return request.whole(bytes.count, head: position, length: length)
            case .host(let value):
                guard request.host.isEmpty, !value.isEmpty else { return .other }
                request.host = value
            case .contentLength(let value):
                guard length == nil else { return .other }
                length = value
            case .indifferent: continue
            }
        }
        return .other
    }

    /// - Parameters:
    ///   - count: How many bytes are there.
    ///   - head: Where the head ends.
    private mutating func whole(_ count: Int, head: Int, length: Int?) -> Reading {
        guard let length, length > 0, length <= Self.longest - head, !host.isEmpty else { return .other }
        let end = head + length
        // What follows would be the next request, sent without waiting for this one's answer.
        guard count <= end else { return .other }
        guard count == end else { return .incomplete }
        body = head..<end
        return .whole(self)
    }

    private enum Match {
        case whole(end: Int)
        case beginning, no
    }

    private static func match(_ bytes: Span<UInt8>, _ text: StaticString) -> Match {
        text.withUTF8Buffer { text in
            for index in 0..<min(text.count, bytes.count) where unsafe bytes[index] != text[index] { return .no }
            return bytes.count < text.count ? .beginning : .whole(end: text.count)
        }
    }
}
