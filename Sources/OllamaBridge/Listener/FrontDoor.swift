import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import Translate

/// Takes every request: checks who asks, finds the endpoint, turns every error into an answer.
struct FrontDoor: Sendable {
    /// Nil for a listener that no browser can know of (the demo upstream).
    struct Guards: Sendable {
        var hosts: HostCheck
        var origins: CrossOrigin
        var keys: ClientKeys
    }

    let routes: Routes
    let guards: Guards?
    let limits: ListenerLimits
    let log: Logger
    /// Told once per answered request, after its last byte.
    var observer: (@Sendable (_ exchange: Exchange, _ status: Int) -> Void)?

    @concurrent
    func serve(_ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel) async throws {
        let client = ClientConnection.current ?? ClientConnection()
        var log = log
        log[metadataKey: "request"] = .string(RequestID.next())
        let exchange = Exchange(request: request, client: client, line: ClientLine(channel), received: Clock.now(), log: log)
        var response = await respond(to: exchange)
        response.headers[.date] = Clock.httpDate()
        if request.method == .head { response = response.createHeadResponse() }
        let leavesBody = response.status == .contentTooLarge || response.status == .forbidden
        if leavesBody { response.headers[.connection] = "close" }
        defer { client.setInferring(false) }
        try await writer.write(response: response.head, body: response.body)
        observer?(exchange, response.status.code)
        if leavesBody { try await linger(request, channel) }
    }

    private func respond(to exchange: Exchange) async -> Response {
        let request = exchange.request
        var crossOrigin: HTTPFields = [:]
        if let guards {
            guard let host = soleHost(request), guards.hosts.allows(host) else { return Response(status: .forbidden) }
            let verdict = guards.origins.verdict(
                origin: request.headers[.origin], host: host, fetchSite: request.headers[.secFetchSite])
            switch verdict {
            case .refused: return Response(status: .forbidden)
            case .allowed(let origin):
                if request.method == .options { return Response(status: .noContent, headers: CrossOrigin.preflight(origin: origin)) }
                crossOrigin = CrossOrigin.headers(origin: origin)
            case .sameOrigin:
                if request.method == .options { return Response(status: .noContent) }
            }
        }
        var response = await dispatch(exchange)
        for field in crossOrigin { response.headers[field.name] = field.value }
        return response
    }

    private func dispatch(_ exchange: Exchange) async -> Response {
        var exchange = exchange
        let path = Self.path(of: exchange.request)
        if let guards {
            switch guards.keys.check(exchange.request, path: path) {
            case .refused(let failure): return FailureResponse.response(to: failure, path: path)
            case .open: break
            case .client(let name):
                exchange.clientName = name
                exchange.log[metadataKey: "client"] = .string(name)
            }
        }
        switch routes.match(exchange.request.method, path) {
        case .unknown: return .text("404 page not found", status: .notFound)
        case .wrongMethod: return .text("405 method not allowed", status: .methodNotAllowed)
        case .redirect(let target):
            let status: HTTPResponse.Status = exchange.request.method == .get ? .movedPermanently : .temporaryRedirect
            return Response(status: status, headers: [.location: target])
        case .endpoint(let endpoint, let tail):
            exchange.pathTail = tail
            do {
                return try await endpoint(exchange)
            } catch {
                return FailureResponse.response(to: error, path: path, log: exchange.log)
            }
        }
    }

    /// HTTP/1.1 demands exactly one Host; two would let a proxy and us disagree on who is asked.
    private func soleHost(_ request: Request) -> String? {
        guard !request.headers.contains(.host) else { return nil }
        return request.head.authority
    }

    /// The path without its query. Users enter base URLs that end in `/v1`, and clients then ask for `/v1/api/tags`.
    private static func path(of request: Request) -> String {
        let path = request.uri.path
        return path.hasPrefix("/v1/api/") ? String(path.dropFirst("/v1".count)) : path
    }

    /// Reads on for a moment what a refused client still sends, since closing at once would reset the connection before it has read the answer.
    private func linger(_ request: Request, _ channel: any Channel) async throws {
        let deadline = channel.eventLoop.scheduleTask(in: limits.refusedBodyLinger) { channel.close(promise: nil) }
        defer { deadline.cancel() }
        for try await _ in request.body {}
        try await channel.close()
    }
}

/// Short ids that tell the lines of one request from another's.
enum RequestID {
    static func next() -> String {
        let digits = String(UInt32.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}

extension HTTPField.Name {
    /// Made once: checking a name's spelling for every request costs more than finding the field.
    static let host = HTTPField.Name("Host")!
    static let secFetchSite = HTTPField.Name("Sec-Fetch-Site")!
}
