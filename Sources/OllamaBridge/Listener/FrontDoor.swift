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
    let capacity: Capacity
    let log: Logger
    /// Told once per request, after the last byte of its answer or when its client has left.
    var observer: RequestObserver?

    @concurrent
    func serve(_ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel) async throws {
        let client = ClientConnection.current ?? ClientConnection()
        var log = log
        let id = RequestID.next()
        log[metadataKey: "request"] = .string(id)
        let exchange = Exchange(
            request: request, client: client, line: ClientLine(channel), received: Clock.now(), log: log, lease: Lease(capacity),
            record: RequestRecord(keepsText: observer?.keepsText ?? false), budgets: observer?.budgets)
        defer {
            client.setInferring(false)
            exchange.lease.returnPlace()
        }
        var (response, clientName) = await respond(to: exchange)
        exchange.lease.returnBody()
        response.headers[.date] = Clock.httpDate()
        if request.method == .head { response = response.createHeadResponse() }
        // What is left of a body that nobody wants is not worth waiting for.
        if !client.isBodyComplete { response.headers[.connection] = "close" }
        do {
            try await writer.write(response: response.head, body: response.body)
        } catch {
            observer?.ended(exchange, client: clientName, status: RequestObserver.clientLeft, id: id)
            throw error
        }
        observer?.ended(exchange, client: clientName, status: response.status.code, id: id)
    }

    /// - Returns: The answer, and the name of the client's key.
    private func respond(to exchange: Exchange) async -> (Response, clientName: String?) {
        let request = exchange.request
        var crossOrigin: HTTPFields = [:]
        if let guards {
            guard let host = request.head.authority, guards.hosts.allows(host) else { return (Response(status: .forbidden), nil) }
            let verdict = guards.origins.verdict(
                origin: request.headers[.origin], host: host, fetchSite: request.headers[.secFetchSite])
            switch verdict {
            case .refused: return (Response(status: .forbidden), nil)
            case .allowed(let origin):
                if request.method == .options { return (Response(status: .noContent, headers: CrossOrigin.preflight(origin: origin)), nil) }
                crossOrigin = CrossOrigin.headers(origin: origin)
            case .sameOrigin:
                if request.method == .options { return (Response(status: .noContent), nil) }
            }
        }
        var (response, clientName) = await dispatch(exchange)
        for field in crossOrigin { response.headers[field.name] = field.value }
        return (response, clientName)
    }

    private func dispatch(_ exchange: Exchange) async -> (Response, clientName: String?) {
        var exchange = exchange
        let path = Self.path(of: exchange.request)
        if let guards {
            switch guards.keys.check(exchange.request, path: path) {
            case .refused(let failure): return (FailureResponse.response(to: failure, path: path), nil)
            case .open: break
            case .client(let name):
                exchange.clientName = name
                exchange.log[metadataKey: "client"] = .string(name)
            }
        }
        return (await answer(exchange, path), exchange.clientName)
    }

    private func answer(_ exchange: Exchange, _ path: String) async -> Response {
        switch routes.match(exchange.request.method, path) {
        case .unknown: return .plain("404 page not found", status: .notFound)
        case .wrongMethod: return .plain("405 method not allowed", status: .methodNotAllowed)
        case .redirect(let target):
            let status: HTTPResponse.Status = exchange.request.method == .get ? .movedPermanently : .temporaryRedirect
            let query = exchange.request.uri.query.map { "?\($0)" } ?? ""
            return Response(status: status, headers: [.location: target + query])
        case .endpoint(let endpoint, let tail):
            var exchange = exchange
            exchange.pathTail = tail
            exchange.record.note { $0.route = tail.isEmpty ? path : path.dropLast(tail.count) + "*" }
            do {
                return try await exchange.client.untilCutShort { [exchange] in try await endpoint(exchange) }
            } catch {
                let error: any Error = exchange.client.isCutShort ? OllamaFailure.shuttingDown : error
                exchange.record.note { $0.failure = error as? OllamaFailure ?? (error as? OpenAIFailure)?.asOllama }
                return FailureResponse.response(to: error, path: path, log: exchange.log)
            }
        }
    }

    /// The path without its query. Users enter base URLs that end in `/v1`, and clients then ask for `/v1/api/tags`.
    private static func path(of request: Request) -> String {
        let path = request.uri.path
        return path.hasPrefix("/v1/api/") ? String(path.dropFirst("/v1".count)) : path
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
