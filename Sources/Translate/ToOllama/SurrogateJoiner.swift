/// Joins characters that an upstream cut in two.
///
/// Some servers cut their text by UTF-16 units and escape each, so an emoji comes as `\ud83d` at the end of one chunk and `\ude00` at the
/// beginning of the next. The first half waits here for the second, by the place at which it came.
struct SurrogateJoiner: Sendable {
    /// The strings that go on from chunk to chunk.
    private static let streamed: Set<String> = ["content", "refusal", "reasoning", "reasoning_content", "text", "thinking", "arguments"]

    /// More places than any answer has at once; what an upstream leaves open beyond them is not waited for.
    private static let mostWaiting = 64

    private struct Half {
        var bytes: [UInt8]
        /// The string's key.
        var key: String
    }

    /// By the hash of the place: the place itself could be as long as the chunk, for each of its strings.
    private var waiting: [UInt64: Half] = [:]

    /// Whether no half waits.
    var isEmpty: Bool { waiting.isEmpty }

    /// Whether the text of a chunk may hold halves; whole pairs may be among the suspects.
    static func mayConcern(_ bytes: [UInt8]) -> Bool {
        let bytes = bytes.span
        var position = 0
        while true {
            let backslash = JSONScan.index(of: UInt8(ascii: "\\"), bytes, from: position)
            guard backslash + 3 < bytes.count else { return false }
            if bytes[backslash + 1] == UInt8(ascii: "u"), bytes[backslash + 2] | 0x20 == UInt8(ascii: "d"),
                bytes[backslash + 3] >= UInt8(ascii: "8")
            {
                return true
            }
            position = backslash + 2
        }
    }

    /// The chunk with halves joined; a half that ends a string is held back, one that finds no partner becomes U+FFFD.
    ///
    /// - Parameter chunk: Parsed with ``JSONParser/parseAll(_:limits:keepsHalves:)``.
    mutating func joined(_ chunk: JSONValue) -> JSONValue { joined(chunk, place: PartsHash(), key: "") }

    /// What waits in vain when the answer ends.
    ///
    /// - Returns: Whether it was text of the answer, and whether it was reasoning.
    mutating func takeRest() -> (content: Bool, thinking: Bool) {
        defer { waiting = [:] }
        let keys = waiting.values.map(\.key)
        return (
            keys.contains { ["content", "refusal", "text"].contains($0) },
            keys.contains { ["reasoning", "reasoning_content", "thinking"].contains($0) }
        )
    }

    private mutating func joined(_ value: JSONValue, place: PartsHash, key: String) -> JSONValue {
        switch value {
        case .string(let text): return .string(joined(text, place: place.value, key: key))
        case .array(let values):
            var output: [JSONValue] = []
            for (position, value) in values.enumerated() {
                let number = value.object?["index"]?.number?.integer ?? position
                output.append(joined(value, place: place.and("\(number)"), key: ""))
            }
            return .array(output)
        case .object(let object):
            var members: [JSONObject.Member] = []
            for member in object.members {
                let value = joined(member.value, place: place.and(member.key), key: member.key)
                members.append(JSONObject.Member(key: member.key, value: value))
            }
            return .object(JSONObject(members))
        case .null, .bool, .number: return value
        }
    }

    private mutating func joined(_ text: JSONText, place: UInt64, key: String) -> JSONText {
        guard Self.streamed.contains(key), !text.isEmpty else { return Self.repaired(text.utf8) }
        var bytes = (waiting.removeValue(forKey: place)?.bytes ?? [])[...] + text.utf8
        if let half = Self.half(bytes, at: bytes.endIndex - 3), half < 0xDC00, waiting.count < Self.mostWaiting {
            waiting[place] = Half(bytes: Array(bytes.suffix(3)), key: key)
            bytes = bytes.dropLast(3)
        }
        return Self.repaired(bytes)
    }

    /// The surrogate whose three bytes are at a place.
    private static func half(_ bytes: ArraySlice<UInt8>, at index: Int) -> UInt32? {
        guard index >= bytes.startIndex, index + 3 <= bytes.endIndex, bytes[index] == 0xED, bytes[index + 1] & 0xE0 == 0xA0,
            bytes[index + 2] & 0xC0 == 0x80
        else { return nil }
        return 0xD000 | UInt32(bytes[index + 1] & 0x3F) << 6 | UInt32(bytes[index + 2] & 0x3F)
    }

    /// UTF-8 again: two halves become a character, whatever else is none U+FFFD.
    private static func repaired(_ bytes: ArraySlice<UInt8>) -> JSONText {
        if String(validating: bytes, as: UTF8.self) != nil { return JSONText(utf8: bytes) }
        var output: [UInt8] = []
        var start = bytes.startIndex
        var index = start
        while index < bytes.endIndex {
            guard let half = half(bytes, at: index) else {
                index += 1
                continue
            }
            output += Array(String(decoding: bytes[start..<index], as: UTF8.self).utf8)
            index += 3
            var scalar = UnicodeScalar(0xFFFD)
            if half < 0xDC00, let low = Self.half(bytes, at: index), low >= 0xDC00 {
                scalar = UnicodeScalar(0x10000 + (half & 0x3FF) << 10 + (low & 0x3FF))
                index += 3
            }
            output += Array(Character(scalar ?? "\u{FFFD}").utf8)
            start = index
        }
        return JSONText(utf8: (output + Array(String(decoding: bytes[start...], as: UTF8.self).utf8))[...])
    }
}
