import Fetch
import Translate

/// What a server answered to the probes of all clients together.
struct ProbeAnswers: Sendable {
    private(set) var text: [String: String] = [:]
    private(set) var json: [String: JSONValue] = [:]
    private(set) var milliseconds: [String: Int64] = [:]
    /// Whether the server knows nobody by the key it got.
    private(set) var wantsKey = false

    private static let paths = ["/", "/api/version", "/api/tags", "/api/ps", "/v1/models"]
    private static let limits = FetchLimits(
        connect: .seconds(2), firstByte: .seconds(10), idle: .seconds(10), total: .seconds(15), maxBodyBytes: 16 << 20)

    /// - Returns: nil if no server answers at the address.
    static func gather(from url: String, key: String?, _ fetcher: Fetcher) async -> ProbeAnswers? {
        var answers = ProbeAnswers()
        let url = url.hasSuffix("/") ? String(url.dropLast()) : url
        for path in paths {
            let isThere = await answers.ask("GET", url, path, [], key, fetcher)
            if !isThere, path == "/" { return nil }
        }
        let first = answers.json["/api/tags"]?.object?["models"]?.array?.first?.object?["name"] ?? .text("")
        // Continue, Raycast and the Swift kits say `name` where others say `model`.
        _ = await answers.ask("POST", url, "/api/show", JSONWriter.bytes(["name": first]), key, fetcher)
        return answers
    }

    private mutating func ask(_ method: String, _ url: String, _ path: String, _ body: [UInt8], _ key: String?, _ fetcher: Fetcher) async
        -> Bool
    {
        let started = Clock.now()
        let request = FetchRequest(
            method: method, url: url + path, headers: key.map { [("Authorization", "Bearer \($0)")] } ?? [],
            body: body.isEmpty ? [] : [body[...]], limits: Self.limits)
        guard let reply = try? await fetcher.send(request), let bytes = try? await reply.body.collect(upTo: 16 << 20) else { return false }
        milliseconds[path] = Clock.now().since(started) / 1_000_000
        text[path] = String(decoding: bytes, as: UTF8.self)
        if reply.status == 401 { wantsKey = true }
        if reply.status == 200 { json[path] = try? JSONParser.parse(bytes) }
        return true
    }
}
