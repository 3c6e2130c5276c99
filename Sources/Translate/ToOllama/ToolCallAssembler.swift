/// Puts tool calls together from fragments, however the upstream cut and numbered them.
///
/// Calls are handed out only at the answer's end: some upstreams interleave them, and some name a finish reason on every chunk.
struct ToolCallAssembler: Sendable {
    /// Bytes of arguments, names and book-keeping that one answer may take.
    static let largest = 8 << 20

    /// Thrown when the calls need more than ``largest``.
    struct TooLarge: Error {}

    private struct Part {
        var index: Int
        var id = ""
        var name = ""
        var arguments: [UInt8] = []
        var progress = ArgumentProgress()
        var extraContent: JSONValue?
    }

    private var parts: [Part] = []
    /// The latest call at each of the upstream's indices.
    private var latest: [Int: Int] = [:]
    /// The latest call with each id.
    private var latestWithID: [String: Int] = [:]
    private var cost = 0

    /// Whether there is no call, begun or whole.
    var isEmpty: Bool { parts.isEmpty }

    /// Takes one element of `tool_calls`, or a legacy `function_call` wrapped into `function`.
    ///
    /// - Parameter isWhole: It is a call of its own.
    mutating func push(_ fragment: JSONObject, isWhole: Bool = false) throws(TooLarge) {
        let function = fragment["function"]?.object ?? fragment
        let id = fragment["id"]?.string ?? ""
        let name = function["name"]?.string ?? ""
        let arguments = Argument(function["arguments"])
        let index = fragment["index"]?.number?.integer
        let position = isWhole ? begin(parts.count) : self.position(index: index, id: id, name: name, arguments: arguments)
        cost += 64 + id.utf8.count + name.utf8.count
        if let extra = fragment["extra_content"], extra != .null {
            cost += JSONWriter.bytes(extra).count
            parts[position].extraContent = extra
        }
        try extend(position, id: id, name: name, arguments: arguments)
    }

    private mutating func extend(_ position: Int, id: String, name: String, arguments: Argument) throws(TooLarge) {
        if parts[position].id.isEmpty, !id.isEmpty {
            parts[position].id = id
            latestWithID[id] = max(position, latestWithID[id] ?? 0)
        }
        // OpenAI sends the name once; some send it in pieces, some whole in every chunk.
        if parts[position].name.isEmpty {
            parts[position].name = name
        } else if parts[position].name != name, !parts[position].progress.hasBegun {
            parts[position].name += name
        }
        switch arguments {
        case .none: break
        case .text(let text):
            cost += text.count
            parts[position].arguments += text
            parts[position].progress.read(text)
        case .whole(let json):
            cost += json.count
            parts[position].arguments = json
            parts[position].progress = ArgumentProgress(closed: true)
        }
        guard cost <= Self.largest else { throw TooLarge() }
    }

    /// The call that a fragment belongs to; begins one if it belongs to none.
    private mutating func position(index: Int?, id: String, name: String, arguments: Argument) -> Int {
        if let index {
            guard let known = latest[index] else { return begin(index) }
            // Gemini's compatibility layer numbers every call 0; only the id or a second whole call tells them apart.
            return startsAnother(after: known, id: id, name: name, arguments: arguments) ? begin(index) : known
        }
        if !id.isEmpty, let known = latestWithID[id] {
            return startsAnother(after: known, id: "", name: name, arguments: arguments) ? begin(parts[known].index &+ 1) : known
        }
        guard let last = parts.indices.last else { return begin(0) }
        if !id.isEmpty, parts[last].id.isEmpty, name.isEmpty { return last }
        let another = !id.isEmpty || startsAnother(after: last, id: id, name: name, arguments: arguments)
        return another ? begin(parts[last].index &+ 1) : last
    }

    private func startsAnother(after known: Int, id: String, name: String, arguments: Argument) -> Bool {
        let part = parts[known]
        if !id.isEmpty, !part.id.isEmpty {
            // An id that changes while a call is being written, and without a name, is a fault of the upstream, not a new call.
            return id != part.id && (!name.isEmpty || part.progress.isClosed)
        }
        return part.progress.isClosed && !name.isEmpty && (name != part.name || !arguments.isEmpty)
    }

    private mutating func begin(_ index: Int) -> Int {
        parts.append(Part(index: index))
        latest[index] = parts.count - 1
        return parts.count - 1
    }

    /// Hands out the calls in order of the upstream's index.
    ///
    /// - Parameters:
    ///   - cutByLength: The upstream ran out of tokens: a call that is not whole is dropped and never mended, because half a command could be run.
    ///   - seed: Makes ids for calls that have none of their own.
    ///   - originalNames: The client's names of tools, by the name that was sent to the upstream.
    /// - Throws: If arguments are not an object and cannot be read as one.
    mutating func finish(
        cutByLength: Bool, seed: UInt64, originalNames: [String: String] = [:]
    ) throws(ToolArguments.Unreadable) -> [AnswerToolCall] {
        if parts.isEmpty { return [] }
        defer { self = ToolCallAssembler() }
        let values = parts.reduce(0) { $0 + JSONLimits.mostValues(in: $1.arguments.span) }
        guard values <= JSONLimits.mostInside else { throw ToolArguments.Unreadable() }
        var calls: [AnswerToolCall] = []
        var ids: Set<String> = []
        // `sorted` is stable, so calls of one index stay in the order they began.
        for part in parts.sorted(by: { $0.index < $1.index }) {
            if part.name.isEmpty, part.arguments.isEmpty { continue }
            if cutByLength, !part.progress.isClosed { continue }
            guard !part.name.isEmpty else { throw ToolArguments.Unreadable() }
            let arguments: JSONObject
            do {
                arguments = try ToolArguments.object(part.arguments)
            } catch {
                if cutByLength { continue }
                throw error
            }
            var id = part.id
            if id.isEmpty || !ids.insert(id).inserted { id = AnswerToolCall.madeUpID(seed: seed, position: calls.count) }
            calls.append(
                AnswerToolCall(
                    id: id, name: originalNames[part.name] ?? part.name, arguments: arguments, extraContent: part.extraContent))
        }
        return calls
    }
}

/// The `arguments` of one fragment.
private enum Argument {
    case none
    /// The next bytes of a JSON text.
    case text(ArraySlice<UInt8>)
    /// A JSON value where its text was due: some gateways send the object itself.
    case whole([UInt8])

    init(_ value: JSONValue?) {
        switch value {
        case nil, .null?: self = .none
        case .string(let text)?: self = text.isEmpty ? .none : .text(text.utf8)
        case let other?: self = .whole(JSONWriter.bytes(other))
        }
    }

    var isEmpty: Bool { if case .none = self { true } else { false } }
}

/// Whether a JSON text that comes in pieces has begun and is closed, without parsing it again for each piece.
private struct ArgumentProgress: Sendable {
    private(set) var hasBegun = false
    private var depth = 0
    private var inString = false
    private var escaped = false

    init(closed: Bool = false) { hasBegun = closed }

    var isClosed: Bool { hasBegun && depth == 0 && !inString }

    mutating func read(_ text: ArraySlice<UInt8>) {
        for byte in text {
            if escaped {
                escaped = false
            } else if inString {
                if byte == UInt8(ascii: "\\") { escaped = true }
                if byte == UInt8(ascii: "\"") { inString = false }
            } else {
                switch byte {
                case UInt8(ascii: "\""): inString = true
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
                case 0x20, 0x0A, 0x0D, 0x09: continue
                default: break
                }
            }
            hasBegun = true
        }
    }
}
