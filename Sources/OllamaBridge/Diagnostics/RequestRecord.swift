import Synchronization
import Translate

/// What is known of one request, gathered on its way and told once at its end: to the metrics, the audit and the client's budget.
final class RequestRecord: Sendable {
    struct Facts: Sendable {
        /// The path of the table it was found at; nil if it was found nowhere.
        var route: String?
        /// As listed.
        var model: String?
        /// The provider that answered, or that was to answer.
        var provider: String?
        /// As the upstream reported them or, where it did not, as estimated.
        var promptTokens = 0
        var answerTokens = 0
        /// Whether a count is an estimate.
        var tokensAreEstimated = false
        /// Nanoseconds from the request's arrival to the first delta.
        var firstToken: Int64?
        var pictures: [PictureFact] = []
        /// What the client was told instead of an answer, or at the end of a broken one.
        var failure: OllamaFailure?
        var question: String?
        var answer: String?
    }

    /// Whether question and answer are to be kept, for an audit that was asked to hold text.
    let keepsText: Bool
    private let state: Mutex<Facts>

    init(route: String? = nil, keepsText: Bool = false) {
        self.keepsText = keepsText
        state = Mutex(Facts(route: route))
    }

    var facts: Facts { state.withLock { $0 } }

    func note(_ change: (inout Facts) -> Void) { state.withLock { change(&$0) } }

    /// Which model is asked, of which provider.
    func note(_ model: ResolvedModel) {
        note { facts in
            facts.model = model.listedName
            facts.provider = model.provider.name
        }
    }

    /// Does what an upstream is asked for. A client that leaves meanwhile has had it work: leaving before the end is no way round a budget.
    ///
    /// - Parameter promptBytes: Bytes of text in the prompt.
    func countingLeavers<Value>(promptBytes: Int, _ work: () async throws -> Value) async throws -> Value {
        do {
            return try await work()
        } catch let error as CancellationError {
            note { facts in
                facts.promptTokens = max(1, facts.promptTokens, promptBytes / 4)
                facts.tokensAreEstimated = true
            }
            throw error
        }
    }

    /// The most text kept of one request on either side.
    static let mostText = 64 << 10

    func noteQuestion(_ text: @autoclosure () -> String) {
        guard keepsText else { return }
        let text = String(decoding: text().utf8.prefix(Self.mostText), as: UTF8.self)
        note { $0.question = text }
    }

    func noteAnswer(_ piece: String) {
        note { facts in
            guard (facts.answer?.utf8.count ?? 0) + piece.utf8.count <= Self.mostText else { return }
            facts.answer = (facts.answer ?? "") + piece
        }
    }
}
