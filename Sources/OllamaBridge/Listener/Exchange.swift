import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import Translate

/// One request on its way to an answer.
///
/// A class, since every function on that way would keep a copy of its own for as long as it waits.
final class Exchange: Sendable {
    private let served: ServedRequest
    let client: ClientConnection
    /// The client's socket, for answers that are written line by line; nil where there is none.
    let line: ClientLine?
    let received: AnswerMoment
    /// What of the path follows a route that ends in `*`.
    let pathTail: String
    /// Short, and on every line of the log about this request.
    let id: String
    private let baseLog: Logger
    /// The name of the client key that was presented, if keys are in use.
    let clientName: String?
    /// What this request has taken of the bridge's capacity.
    let lease: Lease
    let record: RequestRecord
    let budgets: Budgets?

    /// - Parameter log: Gets the request's id and its client's name.
    init(
        request: ServedRequest, client: ClientConnection, line: ClientLine?, received: AnswerMoment, pathTail: String, id: String,
        log: Logger,
        clientName: String?, lease: Lease, record: RequestRecord, budgets: Budgets?
    ) {
        served = request
        self.client = client
        self.line = line
        self.received = received
        self.pathTail = pathTail
        self.id = id
        baseLog = log
        self.clientName = clientName
        self.lease = lease
        self.record = record
        self.budgets = budgets
    }

    var request: Request { served.request }

    /// Carries the request id on every line. Made when a line is to be written, which is not for every request.
    var log: Logger {
        var log = baseLog
        log[metadataKey: "request"] = .string(id)
        if let clientName { log[metadataKey: "client"] = .string(clientName) }
        return log
    }

    var logLevel: Logger.Level { baseLog.logLevel }

    /// From here on the work costs money: it counts against the client's budget, waits for a place among the running requests, and stops
    /// when the client leaves.
    ///
    /// - Throws: A 429 if the budget is spent, Ollama's 503 if too many wait, `CancellationError`.
    func beginInference(_ model: ResolvedModel) async throws {
        record.note(model)
        // A request that finds no place costs nothing.
        try await beginWork()
        try budgets?.request(clientName)
    }

    /// The same for work that is ours alone, such as explaining pictures.
    func beginWork() async throws {
        client.setInferring(true, holding: lease)
        try await lease.takePlace()
    }
}

/// The server library's request in a place of its own, so that the fast path need not copy one for every exchange.
final class ServedRequest: Sendable {
    let request: Request
    init(_ request: Request) { self.request = request }
}

extension Response {
    static func json(_ body: [UInt8], status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) -> Response {
        Response(status: status, headers: headers.adding(.contentType, "application/json; charset=utf-8"), body: .init(bytes: body))
    }

    static func text(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(status: status, headers: [.contentType: "text/plain; charset=utf-8"], body: .init(bytes: Array(text.utf8)))
    }

    /// As Ollama's router says it, which names no charset.
    static func plain(_ text: String, status: HTTPResponse.Status) -> Response {
        Response(status: status, headers: [.contentType: "text/plain"], body: .init(bytes: Array(text.utf8)))
    }

    static func failure(_ failure: OllamaFailure) -> Response {
        var headers: HTTPFields = [:]
        if let seconds = failure.retryAfter { headers[.retryAfter] = String(seconds) }
        return json(failure.body, status: .init(code: failure.status), headers: headers)
    }
}

extension ResponseBody {
    init(bytes: [UInt8]) { self.init(byteBuffer: ByteBuffer(bytes: bytes)) }
}

extension HTTPFields {
    func adding(_ name: HTTPField.Name, _ value: String) -> HTTPFields {
        var fields = self
        fields[name] = value
        return fields
    }
}
