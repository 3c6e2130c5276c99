/// An upstream's error body, whichever of the shapes seen in the wild it has.
struct UpstreamFailure: Sendable, Equatable {
    /// What it says; nil if it says nothing readable.
    var message: String?
    var type: String?
    /// A word; a number that is an HTTP status is in ``status``.
    var code: String?
    var param: String?
    /// The HTTP status that the body names.
    var status: Int?
    /// Seconds to wait, from Google's `RetryInfo`.
    var retryDelay: Int?

    /// Reads a response body.
    init(body: [UInt8]) {
        self.init()
        let text = body.drop { $0 <= 0x20 }
        guard let first = text.first, first != UInt8(ascii: "<") else { return }
        if let value = try? JSONParser.parse(body, rule: .repair) {
            read(Self.error(within: value), depth: 0)
        } else if let end = text.lastIndex(where: { $0 > 0x20 }) {
            message = String(decoding: text[...end], as: UTF8.self)
        }
    }

    /// Reads an error value: an object, or only its message.
    init(_ value: JSONValue) {
        self.init()
        read(value, depth: 0)
    }

    private init() {}

    /// The error that an object reports; nil if it reports none.
    static func error(in object: JSONObject) -> JSONValue? {
        switch object["error"] {
        case nil, .null?, .bool(false)?: break
        case .object(let error)? where error.members.isEmpty: break
        case .string(let text)? where text.isEmpty: break
        case .bool(true)?: return .object(object)
        case let error?: return error
        }
        guard object["choices"] == nil, object["data"] == nil else { return nil }
        if let first = object["errors"]?.array?.first { return first }
        let saysSo = object["object"]?.string == "error" || object["type"]?.string == "error"
        let hasDetail = object["detail"].map { $0 != .null } ?? false
        return saysSo || hasDetail || (object["message"]?.string != nil && object["usage"] == nil) ? .object(object) : nil
    }

    /// Whether a key of a choice, other than `error`, may hold its text, as in the older completions API, or tell that it is an error.
    static func isTold(inChoice key: Span<UInt8>) -> Bool {
        switch key.count {
        case 4: key.starts(with: "text") || key.starts(with: "type")
        case 6: key.starts(with: "errors") || key.starts(with: "object") || key.starts(with: "detail")
        case 7: key.starts(with: "message")
        default: false
        }
    }

    private static func error(within value: JSONValue) -> JSONValue {
        let value = value.array?.first ?? value
        return value.object.flatMap(error) ?? value
    }

    private mutating func read(_ value: JSONValue, depth: Int) {
        guard depth < 5 else { return }
        switch value {
        case .string(let text): read(text: text.string, depth: depth)
        case .array(let values): message = Self.joined(values) ?? message
        case .object(let object): read(object, depth: depth)
        case .null, .bool, .number: break
        }
    }

    /// A message that is itself JSON has the provider's own error in it.
    private mutating func read(text: String, depth: Int) {
        let bytes = Array(text.utf8)
        if bytes.first(where: { $0 > 0x20 }).map({ $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "[") }) ?? false,
            let inner = try? JSONParser.parse(bytes, rule: .repair)
        {
            let before = message
            read(Self.error(within: inner), depth: depth + 1)
            if message != before { return }
        }
        if bytes.contains(where: { $0 > 0x20 }) { message = text }
    }

    private mutating func read(_ object: JSONObject, depth: Int) {
        type = object["type"]?.string ?? type
        param = object["param"]?.string ?? param
        takeCode(object["code"])
        takeCode(object["status"])
        for key in ["message", "error", "detail", "Message", "msg", "error_message", "description"] {
            guard let value = object[key], value != .null, value != .bool(true) else { continue }
            read(value, depth: depth + 1)
            if message != nil { break }
        }
        if let raw = object["metadata"]?.object?["raw"] { read(raw, depth: depth + 1) }
        for detail in object["details"]?.array ?? [] {
            guard let delay = detail.object?["retryDelay"]?.string, delay.hasSuffix("s"), let seconds = Double(delay.dropLast()),
                (0..<1e6).contains(seconds)
            else { continue }
            retryDelay = Int(seconds.rounded(.up))
        }
    }

    private mutating func takeCode(_ value: JSONValue?) {
        switch value {
        case .number(let number)?:
            if let code = number.integer, (400..<600).contains(code) { status = code }
        case .string(let text)?:
            if let number = Int(text.string), (400..<600).contains(number) { status = number } else { code = code ?? text.string }
        default: break
        }
    }

    /// FastAPI's list of complaints as `place: complaint; …`.
    private static func joined(_ values: [JSONValue]) -> String? {
        let parts = values.compactMap { value -> String? in
            guard let object = value.object else { return value.string }
            guard let message = object["msg"]?.string ?? object["message"]?.string else { return nil }
            let place = (object["loc"]?.array ?? []).compactMap { $0.string ?? $0.number?.text }.joined(separator: ".")
            return place.isEmpty ? message : "\(place): \(message)"
        }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }
}
