import Translate

/// Where two JSON values differ, one line a place; key order does not count, number spelling neither.
enum JSONDifference {
    static func lines(expected: JSONValue, actual: JSONValue, path: String = "$") -> [String] {
        switch (expected, actual) {
        case (.object(let left), .object(let right)):
            let keys = left.members.map(\.key) + right.members.map(\.key).filter { left[$0] == nil }
            return keys.flatMap { key -> [String] in
                let place = "\(path).\(key)"
                guard let wanted = left[key] else { return ["\(place): not expected, found \(text(right[key] ?? .null))"] }
                guard let found = right[key] else { return ["\(place): missing, expected \(text(wanted))"] }
                return lines(expected: wanted, actual: found, path: place)
            }
        case (.array(let left), .array(let right)):
            var found = zip(left, right).enumerated().flatMap { lines(expected: $1.0, actual: $1.1, path: "\(path)[\($0)]") }
            for index in right.count..<max(left.count, right.count) {
                found.append("\(path)[\(index)]: missing, expected \(text(left[index]))")
            }
            for index in left.count..<max(left.count, right.count) {
                found.append("\(path)[\(index)]: not expected, found \(text(right[index]))")
            }
            return found
        case (.number(let left), .number(let right)) where left.double == right.double: return []
        case _ where expected == actual: return []
        default: return ["\(path): expected \(text(expected)), found \(text(actual))"]
        }
    }

    static func text(_ value: JSONValue) -> String {
        let text = String(decoding: JSONWriter.bytes(value), as: UTF8.self)
        return text.count > 300 ? text.prefix(300) + "…" : text
    }
}
