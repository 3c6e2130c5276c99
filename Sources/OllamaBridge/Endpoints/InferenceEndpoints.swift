import HTTPTypes
import HummingbirdCore
import Translate

/// `/api/chat` and `/api/generate`.
struct InferenceEndpoints: Sendable {
    let relay: Relay
    let bodies: RequestBodies

    func register(in routes: inout Routes) {
        routes.on(.post, at: "/api/chat") { exchange in
            let request = try await bodies.decode(exchange) { json throws(OllamaFailure) in try InferenceRequest.chat(json) }
            return try await relay.answer(request, exchange)
        }
        routes.on(.post, at: "/api/generate") { exchange in
            let request = try await bodies.decode(exchange) { json throws(OllamaFailure) in try InferenceRequest.generate(json) }
            return try await relay.answer(request, exchange)
        }
    }
}
