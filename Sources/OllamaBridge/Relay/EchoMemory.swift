import Synchronization
import Translate

/// Remembers what providers want back with later requests and Ollama's messages have no place for: thought signatures, reasoning details.
///
/// Lost at a restart, which costs no more than the provider's own memory of its reasoning. What was used of late stays longest: when a
/// generation is full it becomes the old one, the one before it is dropped, and what is found in the old one moves to the young.
final class EchoMemory: Sendable {
    /// The most that one generation holds. A signature has a few hundred bytes, encrypted reasoning some thousand.
    static let mostBytes = 16 << 20

    /// One client's answers of one model must never go to another's.
    private struct Key: Hashable {
        var client: String?
        var provider: String
        var model: String
        var hash: UInt64
    }

    private struct State {
        var young: [Key: Remembered] = [:]
        var old: [Key: Remembered] = [:]
        var bytes = 0

        mutating func store(_ value: Remembered, as key: Key) {
            bytes += value.bytes
            if bytes > EchoMemory.mostBytes {
                old = young
                young = [:]
                bytes = value.bytes
            }
            young[key] = value
        }

        mutating func find(_ key: Key) -> Remembered? {
            if let value = young[key] { return value }
            guard let value = old.removeValue(forKey: key) else { return nil }
            store(value, as: key)
            return value
        }
    }

    private let state = Mutex(State())

    /// The request with what this model's provider wants back.
    func recall(_ request: InferenceRequest, for model: ResolvedModel, client: String?) -> InferenceRequest {
        request.recalling(EchoParts(model.dialect)) { hash in
            let key = Self.key(hash, model, client)
            return state.withLock { $0.find(key) }
        }
    }

    func remember(_ echo: AnswerEcho?, at place: EchoPlace, of model: ResolvedModel, client: String?) {
        for entry in echo?.entries(at: place) ?? [] {
            for hash in entry.keys {
                let key = Self.key(hash, model, client)
                state.withLock { $0.store(entry.value, as: key) }
            }
        }
    }

    private static func key(_ hash: UInt64, _ model: ResolvedModel, _ client: String?) -> Key {
        Key(client: client, provider: model.provider.name, model: model.upstreamID, hash: hash)
    }
}
