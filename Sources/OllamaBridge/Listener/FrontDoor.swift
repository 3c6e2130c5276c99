import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import Synchronization
import Translate

/// Takes every request: checks who asks, finds the endpoint, turns every error into an answer.
struct FrontDoor: Sendable {
    /// Nil for a listener that no browser can know of (the demo upstream).
    struct Guards: Sendable {
        var hosts: HostCheck
        var origins: CrossOrigin
        var keys: ClientKeyring
    }

    let routes: Routes
    let guards: Guards?
    let limits: ListenerLimits
    let capacity: Capacity
    let log: Logger
    /// Told once per request, after the last byte of its answer or when its client has left.
    var observer: RequestObserver?
    /// Told after each answer that may have been large.
    var heap: HeapKeeper?

    /// What can be said of a request before anything is done for it.
    private struct Entrance {
        enum Way {
            case answered(Response)
            case endpoint(Routes.Endpoint)
        }

        var path: String
        var way = Way.answered(.plain("404 page not found", status: .notFound))
        /// What of the path follows a route that ends in `*`.
        var tail = ""
        var clientName: String?
        var crossOrigin: HTTPFields = [:]
    }

    @concurrent
    func serve(_ request: Request, _ writer: consuming ResponseWriter, _ channel: any Channel) async throws {
        let client = ClientConnection.current ?? ClientConnection()
        let entrance = enter(request)
        let exchange = exchange(request, entrance, client, channel)
        defer {
            client.setInferring(false)
            if exchange.lease.returnPlace() { heap?.noteUse() }
        }
        let response = finished(await answer(exchange, entrance), exchange, entrance)
        do {
            try await writer.write(response: response.head, body: response.body)
        } catch {
            observer?.ended(exchange, status: RequestObserver.clientLeft)
            throw error
        }
        observer?.ended(exchange, status: response.status.code)
    }

    private func answer(_ exchange: Exchange, _ entrance: Entrance) async -> Response {
        switch entrance.way {
        case .answered(let response): return response
        case .endpoint(let endpoint):
            do {
                return try await exchange.client.untilCutShort { try await endpoint(exchange) }
            } catch {
                return failure(error, exchange, entrance.path)
            }
        }
    }

    // What follows never waits, and is kept out of the functions that do: they would have room for all its temporaries in their frames,
    // which live as long as the stream.

    @inline(never)
    private func enter(_ request: Request) -> Entrance {
        var entrance = Entrance(path: Self.path(of: request))
        if let guards {
            guard let host = request.head.authority, guards.hosts.allows(host) else {
                entrance.way = .answered(Response(status: .forbidden))
                return entrance
            }
            // Who follows a link sees the answer himself; the page with the link does not.
            let isVisit = request.method == .get && request.headers[.secFetchMode] == "navigate"
            let verdict = guards.origins.verdict(
                origin: request.headers[.origin], host: host, fetchSite: isVisit ? nil : request.headers[.secFetchSite])
            switch verdict {
            case .refused:
                entrance.way = .answered(Response(status: .forbidden))
                return entrance
            case .allowed(let origin):
                if request.method == .options {
                    entrance.way = .answered(Response(status: .noContent, headers: CrossOrigin.preflight(origin: origin)))
                    return entrance
                }
                entrance.crossOrigin = CrossOrigin.headers(origin: origin)
            case .sameOrigin:
                if request.method == .options {
                    entrance.way = .answered(Response(status: .noContent))
                    return entrance
                }
            }
            switch guards.keys.check(request, path: entrance.path) {
            case .refused(let failure):
                entrance.way = .answered(FailureResponse.response(to: failure, path: entrance.path))
                return entrance
            case .open: break
            case .client(let name): entrance.clientName = name
            }
        }
        switch routes.match(request.method, entrance.path) {
        case .unknown: break
        case .wrongMethod: entrance.way = .answered(.plain("405 method not allowed", status: .methodNotAllowed))
        case .redirect(let target):
            let status: HTTPResponse.Status = request.method == .get ? .movedPermanently : .temporaryRedirect
            let query = request.uri.query.map { "?\($0)" } ?? ""
            entrance.way = .answered(Response(status: status, headers: [.location: target + query]))
        case .endpoint(let endpoint, let tail):
            entrance.way = .endpoint(endpoint)
            entrance.tail = tail
        }
        return entrance
    }

    @inline(never)
    private func exchange(_ request: Request, _ entrance: Entrance, _ client: ClientConnection, _ channel: any Channel) -> Exchange {
        var route: String?
        if case .endpoint = entrance.way {
            let (path, tail) = (entrance.path, entrance.tail)
            route = tail.isEmpty ? path : path.dropLast(tail.count) + "*"
        }
        return exchange(
            ServedRequest(request), from: client, over: ClientLine(channel), route: route, pathTail: entrance.tail,
            clientName: entrance.clientName)
    }

    /// - Parameters:
    ///   - line: nil where answers are not written line by line, or not through a channel.
    ///   - route: The path of the table; nil if the request's is in none.
    func exchange(
        _ request: ServedRequest, from client: ClientConnection, over line: ClientLine?, route: String?, pathTail: String = "",
        clientName: String? = nil
    ) -> Exchange {
        Exchange(
            request: request, client: client, line: line, received: Clock.now(), pathTail: pathTail, id: RequestID.next(), log: log,
            clientName: clientName, lease: Lease(capacity), record: RequestRecord(route: route, keepsText: observer?.keepsText ?? false),
            budgets: observer?.budgets)
    }

    @inline(never)
    private func finished(_ response: Response, _ exchange: Exchange, _ entrance: Entrance) -> Response {
        exchange.lease.returnBody()
        var response = response
        for field in entrance.crossOrigin { response.headers[field.name] = field.value }
        response.headers[.date] = Clock.httpDate()
        if exchange.request.method == .head { response = response.createHeadResponse() }
        // What is left of a body that nobody wants is not worth waiting for.
        if !exchange.client.isBodyComplete { response.headers[.connection] = "close" }
        return response
    }

    @inline(never)
    private func failure(_ error: any Error, _ exchange: Exchange, _ path: String) -> Response {
        let error: any Error = exchange.client.isCutShort ? OllamaFailure.shuttingDown : error
        exchange.record.note { $0.failure = error as? OllamaFailure ?? (error as? OpenAIFailure)?.asOllama }
        return FailureResponse.response(to: error, path: path, log: exchange.log)
    }

    /// The path without its query. Users enter base URLs that end in `/v1`, and clients then ask for `/v1/api/tags`.
    private static func path(of request: Request) -> String {
        let path = request.uri.path
        return path.hasPrefix("/v1/api/") ? String(path.dropFirst("/v1".count)) : path
    }
}

/// Short ids that tell the lines of one request from another's.
enum RequestID {
    /// Another start for every process; random numbers for each request would cost a system call.
    private static let last = Atomic(UInt32.random(in: .min ... .max))

    static func next() -> String {
        let (_, number) = last.wrappingAdd(1, ordering: .relaxed)
        // An odd factor maps each number to another one of its own, so that neighbours look nothing alike.
        let mixed = number &* 0x9E37_79B1
        return unsafe String(unsafeUninitializedCapacity: 8) { digits in
            for place in 0..<8 {
                unsafe digits[place] = Hexadecimal.digit(UInt8(truncatingIfNeeded: mixed >> UInt32(28 - 4 * place) & 0xF))
            }
            return 8
        }
    }
}

extension HTTPField.Name {
    /// Made once: checking a name's spelling for every request costs more than finding the field.
    static let host = HTTPField.Name("Host")!
    static let secFetchSite = HTTPField.Name("Sec-Fetch-Site")!
    static let secFetchMode = HTTPField.Name("Sec-Fetch-Mode")!
}
