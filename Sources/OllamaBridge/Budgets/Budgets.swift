import Foundation
import Logging
import Synchronization
import Translate

/// Keeps every client key within its budget, over restarts too.
final class Budgets: Sendable {
    private struct State {
        /// By the key's name; one that is not here is free.
        var budgets: [String: Budget]
        var usage: [String: Usage] = [:]
        var isChanged = false
    }

    private static let saveInterval = Duration.seconds(5)

    private let path: String?
    private let log: Logger
    private let state: Mutex<State>

    /// - Parameters:
    ///   - budgets: By the key's name; a key that is not here is free.
    ///   - path: Where usage is kept; nil forgets it.
    init(_ budgets: [String: Budget], path: String?, log: Logger) {
        self.path = path
        self.log = log
        let bytes = path.flatMap { FileManager.default.contents(atPath: $0) }.map(Array.init) ?? []
        state = Mutex(State(budgets: budgets.filter { !$0.value.isUnlimited }, usage: UsageFile.decode(bytes)))
    }

    /// Other budgets from now on; what was used stays used.
    func replace(by budgets: [String: Budget]) {
        state.withLock { $0.budgets = budgets.filter { !$0.value.isUnlimited } }
    }

    /// Counts a request of a key.
    ///
    /// - Throws: A 429 that says when to come back.
    func request(_ name: String?) throws(OllamaFailure) {
        guard let name else { return }
        let now = Clock.now().seconds
        let wait = state.withLock { state -> Int? in
            guard let budget = state.budgets[name] else { return nil }
            state.isChanged = true
            return state.usage[name, default: Usage()].request(within: budget, at: now)
        }
        guard let wait else { return }
        throw OllamaFailure(
            status: 429, error: "the budget of this client key is spent", code: "BUDGET_SPENT",
            detail: "It is renewed in \(wait) seconds.", retryAfter: wait)
    }

    func spend(_ name: String?, tokens: Int) {
        guard let name, tokens > 0 else { return }
        let now = Clock.now().seconds
        state.withLock { state in
            guard state.budgets[name] != nil else { return }
            state.usage[name, default: Usage()].spend(tokens: tokens, at: now)
            state.isChanged = true
        }
    }

    /// Keeps usage on disk, a few seconds late.
    func run() async {
        guard path != nil else { return }
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.saveInterval, tolerance: .seconds(1))
            save()
        }
    }

    func save() {
        guard let path else { return }
        let usage = state.withLock { state in
            defer { state.isChanged = false }
            return state.isChanged ? state.usage : nil
        }
        guard let usage else { return }
        do {
            // Put beside and renamed, so that a crash leaves either the old or the new.
            try Data(UsageFile.encode(usage)).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            log.error("Usage of client keys could not be saved", metadata: ["file": "\(path)", "error": "\(error.localizedDescription)"])
            state.withLock { $0.isChanged = true }
        }
    }
}

/// Usage as JSON. What cannot be read counts as nothing used: a lost file must not lock clients out.
enum UsageFile {
    static func encode(_ usage: [String: Usage]) -> [UInt8] {
        let members = usage.sorted { $0.key < $1.key }.map { name, usage in
            JSONObject.Member(key: name, value: ["minute": window(usage.minute), "day": window(usage.day)])
        }
        return JSONWriter.bytes(["usage": .object(JSONObject(members))])
    }

    static func decode(_ bytes: [UInt8]) -> [String: Usage] {
        let members = (try? JSONParser.parse(bytes))?.object?["usage"]?.object?.members ?? []
        return members.reduce(into: [:]) { all, member in
            all[member.key] = Usage(minute: window(member.value.object?["minute"]), day: window(member.value.object?["day"]))
        }
    }

    private static func window(_ window: Usage.Window) -> JSONValue {
        ["number": .integer(Int(window.number)), "requests": .integer(window.requests), "tokens": .integer(window.tokens)]
    }

    private static func window(_ value: JSONValue?) -> Usage.Window {
        let object = value?.object
        return Usage.Window(
            number: Int64(object?["number"]?.number?.integer ?? 0), requests: max(0, object?["requests"]?.number?.integer ?? 0),
            tokens: max(0, object?["tokens"]?.number?.integer ?? 0))
    }
}
