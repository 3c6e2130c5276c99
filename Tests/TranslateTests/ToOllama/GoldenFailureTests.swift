import TestSupport
import Testing

@testable import Translate

/// Runs `fixtures/failures`: what an upstream's failure becomes.
@Suite struct GoldenFailureTests {
    static let cases = FixtureFolder.all("failures").compactMap(FailureCase.init)

    @Test func `there are cases`() {
        #expect(Self.cases.count >= 70)
    }

    @Test(arguments: cases)
    func `the failure is the recorded one`(failure: FailureCase) {
        let mapped = failure.mapped
        #expect(String(decoding: mapped.body, as: UTF8.self) == failure.body)
        #expect(mapped.status == failure.status)
        #expect(mapped.retryAfter == failure.retryAfter)
    }

    @Test(arguments: cases)
    func `no failure has the words that ollama hides or a secret`(failure: FailureCase) {
        let body = String(decoding: failure.mapped.body, as: UTF8.self)
        #expect(!body.lowercased().contains("upstream error"))
        for secret in failure.context.secrets { #expect(!body.contains(secret.suffix(6))) }
    }
}

/// One case of `fixtures/failures`.
struct FailureCase: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var body: String
    var status: Int
    var retryAfter: Int?
    var context = FailureContext(model: "test")
    private var upstream: JSONObject

    init?(_ folder: FixtureFolder) {
        guard let upstream = folder.file("upstream.json").flatMap({ try? JSONParser.parse($0).object }),
            let expected = folder.file("ollama.json").flatMap({ try? JSONParser.parse($0).object }),
            let status = expected["status"]?.number?.integer, let body = expected["body"]
        else { return nil }
        testDescription = folder.name
        self.upstream = upstream
        self.status = status
        self.body = String(decoding: JSONWriter.bytes(body), as: UTF8.self)
        retryAfter = expected["retryAfter"]?.number?.integer
        let request = upstream["request"]?.object
        context.requestHadImages = request?["images"]?.bool ?? false
        context.requestHadTools = request?["tools"]?.bool ?? false
        context.isEmbedding = request?["embedding"]?.bool ?? false
        context.secrets = request?["secrets"]?.array?.compactMap(\.string) ?? []
    }

    var mapped: OllamaFailure {
        if let problem = upstream["transport"]?.string { return FailureMapping.failure(Self.problem(problem), context: context) }
        let body: [UInt8] =
            switch upstream["body"] {
            case .string(let text)?: Array(text.utf8)
            case let value?: JSONWriter.bytes(value)
            case nil: []
            }
        return FailureMapping.failure(
            status: upstream["status"]?.number?.integer ?? 0, body: body,
            retryAfter: upstream["headers"]?.object?["Retry-After"]?.string, now: 1_795_230_245, context: context)
    }

    private static func problem(_ name: String) -> TransportProblem {
        switch name {
        case "couldNotResolve": .couldNotResolve
        case "couldNotConnect": .couldNotConnect
        case "tls": .tls
        case "addressRefused": .addressRefused
        case "timedOut": .timedOut
        case "fellSilent": .fellSilent
        case "tooLarge": .tooLarge
        case "closedEarly": .closedEarly
        case "protocolError": .protocolError
        default: .badRequest
        }
    }
}
