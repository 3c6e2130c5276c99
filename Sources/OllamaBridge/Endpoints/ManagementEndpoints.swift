import HTTPTypes
import HummingbirdCore
import Translate

/// Pull, delete and the rest: what a server says that has no model files. Always JSON, because clients parse nothing else.
struct ManagementEndpoints: Sendable {
    let catalog: CatalogStore
    let bodies: RequestBodies

    func register(in routes: inout Routes) {
        routes.on(.post, at: "/api/pull") { try await pull($0) }
        routes.on(.post, at: "/api/push") { exchange in
            if try await decode(exchange, "PushRequest").model.isEmpty { throw OllamaFailure.modelRequired }
            throw Self.unsupported("pushing models")
        }
        routes.on(.post, at: "/api/create") { exchange in
            guard ModelName.isWellFormed(try await decode(exchange, "CreateRequest").model) else { throw OllamaFailure.invalidModelName }
            throw Self.unsupported("creating models")
        }
        routes.on(.post, at: "/api/copy") { exchange in
            let request = try await bodies.decode(exchange) { json throws(OllamaFailure) in try CopyRequest.decode(json) }
            try catalog.current.checkCopy(from: request.source, to: request.destination)
            throw Self.unsupported("copying models")
        }
        routes.on(.delete, at: "/api/delete") { exchange in
            let request = try await decode(exchange, "DeleteRequest")
            _ = try catalog.require(request.model, for: .delete)
            throw OllamaFailure(status: 403, error: "deleting models is not supported by this server")
        }
        routes.on(.head, at: "/api/blobs/*") { _ in Response(status: .notFound) }
        routes.on(.post, at: "/api/blobs/*") { exchange in
            for try await _ in exchange.request.body {}
            throw OllamaFailure(status: 501, error: "uploading model files is not supported by this server")
        }
        routes.on(.get, at: "/api/status") { _ in
            .json(JSONWriter.bytes(["cloud": ["disabled": true, "source": "config"]]))
        }
        routes.on(.get, at: "/api/experimental/model-recommendations") { _ in .json(JSONWriter.bytes(["recommendations": []])) }
        for path in ["/api/experimental/web_search", "/api/experimental/web_fetch"] {
            routes.on(.post, at: path) { _ in
                throw OllamaFailure(status: 403, error: "ollama cloud is disabled: web access is unavailable")
            }
        }
        routes.on(.post, at: "/api/me") { _ in throw OllamaFailure(status: 503, error: "account unavailable") }
        routes.on(.post, at: "/api/signout") { _ in throw OllamaFailure(status: 401, error: "you are not currently signed in") }
    }

    /// A listed model is "pulled" at once: Home Assistant pulls what it does not find, and ollama-js wants `success` at the end.
    private func pull(_ exchange: Exchange) async throws -> Response {
        let request = try await decode(exchange, "PullRequest")
        var lines: [JSONValue] = [["status": "pulling manifest"]]
        let missing = OllamaFailure(status: 500, error: "pull model manifest: file does not exist")
        var isKnown = true
        do {
            _ = try catalog.require(request.model, for: .pull)
            lines.append(["status": "success"])
        } catch {
            guard error.error == missing.error else { throw error }
            isKnown = false
            lines.append(["error": .text(missing.error)])
        }
        guard request.stream else { return isKnown ? .json(JSONWriter.bytes(["status": "success"])) : .failure(missing) }
        let body: [UInt8] = lines.flatMap { (line: JSONValue) -> [UInt8] in JSONWriter.bytes(line) + [0x0A] }
        return Response(status: .ok, headers: [.contentType: "application/x-ndjson"], body: .init(bytes: body))
    }

    /// - Parameter name: The Go struct that a complaint about a wrong type names.
    private func decode(_ exchange: Exchange, _ name: String) async throws -> NamedModelRequest {
        try await bodies.decode(exchange) { json throws(OllamaFailure) in try NamedModelRequest.decode(json, struct: name) }
    }

    private static func unsupported(_ what: String) -> OllamaFailure {
        OllamaFailure(status: 400, error: "\(what) is not supported by this server")
    }
}
