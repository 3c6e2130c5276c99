import HTTPTypes
import HummingbirdCore

/// The table of paths.
struct Routes: Sendable {
    typealias Endpoint = @Sendable (Exchange) async throws -> Response

    enum Match {
        case endpoint(Endpoint, tail: String)
        case redirect(to: String)
        case wrongMethod
        case unknown
    }

    private var exact: [String: [HTTPRequest.Method: Endpoint]] = [:]
    private var prefixes: [(prefix: String, endpoints: [HTTPRequest.Method: Endpoint])] = []

    /// - Parameter path: Ends in `/*` where the rest of the path is the endpoint's own business.
    mutating func on(_ methods: HTTPRequest.Method..., at path: String, _ endpoint: @escaping Endpoint) {
        for method in methods {
            guard path.hasSuffix("/*") else {
                exact[path, default: [:]][method] = endpoint
                continue
            }
            let prefix = String(path.dropLast())
            if let index = prefixes.firstIndex(where: { $0.prefix == prefix }) {
                prefixes[index].endpoints[method] = endpoint
            } else {
                prefixes.append((prefix, [method: endpoint]))
            }
        }
    }

    func match(_ method: HTTPRequest.Method, _ path: String) -> Match {
        if let endpoints = exact[path] {
            return endpoints[method].map { .endpoint($0, tail: "") } ?? .wrongMethod
        }
        for (prefix, endpoints) in prefixes where path.hasPrefix(prefix) && path.utf8.count > prefix.utf8.count {
            if path.hasSuffix("/") { return .redirect(to: String(path.dropLast())) }
            return endpoints[method].map { .endpoint($0, tail: String(path.dropFirst(prefix.count))) } ?? .wrongMethod
        }
        if path.hasSuffix("/"), path.utf8.count > 1, exact[String(path.dropLast())] != nil {
            return .redirect(to: String(path.dropLast()))
        }
        return .unknown
    }
}
