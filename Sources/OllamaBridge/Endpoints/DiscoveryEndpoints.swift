import Crypto
import Foundation
import HTTPTypes
import HummingbirdCore
import Translate

/// What clients ask before they chat: is it there, which version, which models, what can they do.
struct DiscoveryEndpoints: Sendable {
    let catalog: CatalogStore
    let running: RunningModels
    let discovery: ModelDiscovery
    let bodies: RequestBodies

    func register(in routes: inout Routes) {
        routes.on(.get, .head, at: "/") { _ in .text("Ollama is running") }
        routes.on(.get, .head, at: "/api/version") { _ in .json(ModelListing.version(Version.ollama)) }
        routes.on(.get, .head, at: "/api/tags") { _ in
            await discovery.settle()
            return .json(ModelListing.tags(items))
        }
        routes.on(.post, at: "/api/show") { exchange in
            let request = try await bodies.decode(exchange) { json throws(OllamaFailure) in try NamedModelRequest.decode(json) }
            let model = try catalog.require(request.model, for: .show)
            return .json(ModelListing.show(item(model), requestedName: request.model))
        }
        routes.on(.get, .head, at: "/api/ps") { _ in
            let entries = running.current(now: Clock.now().seconds)
            return .json(
                ModelListing.ps(
                    entries.map { .init(item: item($0.model), expiresAt: Self.expiry($0.expires), numCtx: $0.numCtx) }))
        }
        routes.on(.get, at: "/v1/models") { _ in
            await discovery.settle()
            return .json(ModelListing.openAIModels(items, created: Int(Clock.now().seconds)))
        }
        routes.on(.get, at: "/v1/models/*") { exchange in
            let name = exchange.pathTail.removingPercentEncoding ?? exchange.pathTail
            guard let model = catalog.current.resolve(name) else {
                throw OpenAIFailure(status: 404, message: "model '\(name)' not found", param: "model", code: "model_not_found")
            }
            return .json(ModelListing.openAIModel(item(model), id: name, created: Int(Clock.now().seconds)))
        }
    }

    private var items: [ModelListing.Item] { catalog.current.listed().map(item) }

    private func item(_ model: ResolvedModel) -> ModelListing.Item {
        let digest = SHA256.hash(data: ModelListing.digestSeed(model))
        return ModelListing.Item(model: model, digest: Hexadecimal.text(digest), modifiedAt: catalog.modifiedAt)
    }

    /// "Forever" is far away, as Ollama has it, but not so far that a client's date type overflows.
    private static func expiry(_ seconds: Int64?) -> String {
        let farAway: Int64 = 9_214_646_400  // 2262, where 64-bit nanoseconds end
        return Clock.rfc3339(seconds: Int(min(seconds ?? farAway, farAway)))
    }
}

enum Hexadecimal {
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: bytes.flatMap { [digit($0 >> 4), digit($0 & 0xF)] }, as: UTF8.self)
    }

    /// - Parameter value: Below 16.
    static func digit(_ value: UInt8) -> UInt8 { value + (value < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10) }
}
