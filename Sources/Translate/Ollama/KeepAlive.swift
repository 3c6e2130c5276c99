/// How long a model counts as loaded after a request. A proxy loads nothing; this only decides what `/api/ps` shows.
public enum KeepAlive: Sendable, Equatable {
    /// At least zero; exactly zero asks to unload.
    case duration(Duration)
    /// Any negative value, or one beyond 292 years, which is all that Go's durations hold.
    case forever

    /// Exactly zero: `0`, `"0"`, `"0s"`.
    public var isUnload: Bool { self == .duration(.zero) }
}

extension KeepAlive {
    /// Reads a number of seconds or a Go duration. Unlike Ollama it also takes a positive number of seconds as a bare string.
    ///
    /// - Throws: Go's sentence about the duration, or Ollama's about another type.
    static func decode(_ value: JSONValue) throws(OllamaFailure) -> KeepAlive {
        switch value {
        case .number(let number): return KeepAlive(seconds: number.double ?? .infinity)
        case .string(let text):
            let text = text.string
            if let seconds = Double(text), seconds.isFinite { return KeepAlive(seconds: seconds) }
            return KeepAlive(seconds: try GoDuration.seconds(text))
        case .bool: throw .badRequest("Unsupported type: 'bool'")
        case .array: throw .badRequest("Unsupported type: '[]interface {}'")
        case .object: throw .badRequest("Unsupported type: 'map[string]interface {}'")
        case .null: throw .badRequest("Unsupported type: '<nil>'")
        }
    }

    /// Reads the text form, as the `OLLAMA_KEEP_ALIVE` setting has it.
    ///
    /// - Returns: nil when it is neither a number of seconds nor a Go duration.
    public init?(text: String) {
        guard let value = try? KeepAlive.decode(.text(text)) else { return nil }
        self = value
    }

    private init(seconds: Double) {
        if seconds < 0 || seconds > 9.2e9 {
            self = .forever
        } else {
            self = .duration(.seconds(seconds))
        }
    }
}

/// Go's `time.ParseDuration`.
enum GoDuration {
    /// - Returns: Seconds, negative ones too.
    static func seconds(_ text: String) throws(OllamaFailure) -> Double {
        // Every sum of units is shorter.
        guard text.utf8.count <= 1000 else { throw invalid(String(text.prefix(100))) }
        var rest = Array(text.utf8)[...]
        var sign = 1.0
        if let first = rest.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            sign = first == UInt8(ascii: "-") ? -1 : 1
            rest = rest.dropFirst()
        }
        if rest.elementsEqual("0".utf8) { return 0 }
        guard !rest.isEmpty else { throw invalid(text) }
        var total = 0.0
        while !rest.isEmpty {
            let number = rest.prefix { isDigit($0) || $0 == UInt8(ascii: ".") }
            // Without a digit before the fraction Swift's Double takes no number; Go does.
            guard number.contains(where: isDigit), let value = Double("0" + String(decoding: number, as: UTF8.self)) else {
                throw invalid(text)
            }
            rest = rest[number.endIndex...]
            let unit = rest.prefix { !isDigit($0) && $0 != UInt8(ascii: ".") }
            let name = String(decoding: unit, as: UTF8.self)
            guard !name.isEmpty else { throw .badRequest("time: missing unit in duration \(GoText.quoted(text))") }
            guard let length = units[name] else {
                throw .badRequest("time: unknown unit \(GoText.quoted(name)) in duration \(GoText.quoted(text))")
            }
            total += value * length
            rest = rest[unit.endIndex...]
        }
        return sign * total
    }

    private static let units: [String: Double] = [
        "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600,
    ]

    private static func invalid(_ text: String) -> OllamaFailure { .badRequest("time: invalid duration \(GoText.quoted(text))") }
    private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
}
