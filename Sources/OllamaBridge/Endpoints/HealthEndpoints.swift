import HTTPTypes
import HummingbirdCore
import Translate

/// For whoever watches over the process.
struct HealthEndpoints: Sendable {
    let capacity: Capacity

    func register(in routes: inout Routes) {
        routes.on(.get, .head, at: "/health") { _ in .json(JSONWriter.bytes(["status": "ok"])) }
        // A bridge that stops still answers what it has begun, but wants no new work.
        routes.on(.get, .head, at: "/ready") { _ in
            capacity.isDraining
                ? .json(JSONWriter.bytes(["status": "stopping"]), status: .serviceUnavailable)
                : .json(JSONWriter.bytes(["status": "ready"]))
        }
    }
}
