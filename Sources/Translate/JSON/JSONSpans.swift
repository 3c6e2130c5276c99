/// Finds where values stand in JSON text, so that some can be replaced and every other byte stays as it came.
///
/// Only for bytes that ``JSONParser`` has accepted; on others it returns nonsense ranges but never traps.
struct JSONSpans {
    let bytes: [UInt8]
    /// The first value of the text.
    let document: Range<Int>
    /// Long strings in order, so that a picture is stepped over instead of read again by every question about what is around it.
    private let long: [LongString]

    private struct LongString {
        /// With its quotes.
        var range: Range<Int>
        /// Whether it stands for itself, without escapes.
        var isPlain: Bool
    }

    /// Strings from here on are remembered.
    private static let longBytes = 4096

    init(bytes: [UInt8]) {
        self.bytes = bytes
        var long: [LongString] = []
        var position = bytes.firstIndex { $0 > 0x20 } ?? bytes.count
        let start = position
        var depth = 0
        scan: while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                let (end, isPlain) = Self.endOfString(bytes, position)
                if end - position >= Self.longBytes { long.append(LongString(range: position..<end, isPlain: isPlain)) }
                position = end
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                position += 1
                if depth <= 0 { break scan }
            default: position += 1
            }
        }
        self.long = long
        document = start..<position
    }

    /// A member of an object: its key and where its value stands.
    struct Member {
        var key: String
        /// Where the key stands, quotes included.
        var keyRange: Range<Int>
        var value: Range<Int>
    }

    /// The members of the object at `range`, in order; none if it is no object.
    func members(of range: Range<Int>) -> [Member] {
        guard byte(range.lowerBound) == UInt8(ascii: "{") else { return [] }
        var members: [Member] = []
        var position = skipBlanks(range.lowerBound + 1)
        while position < range.upperBound, byte(position) == UInt8(ascii: "\"") {
            let keyEnd = end(ofValueAt: position)
            let key = text(at: position..<keyEnd)
            let colon = skipBlanks(keyEnd)
            let start = skipBlanks(colon + 1)
            let end = end(ofValueAt: start)
            guard let key, start < end, end <= range.upperBound else { break }
            members.append(Member(key: key.string, keyRange: position..<keyEnd, value: start..<end))
            position = skipBlanks(end)
            if byte(position) == UInt8(ascii: ",") { position = skipBlanks(position + 1) }
        }
        return members
    }

    /// The elements of the array at `range`, in order; none if it is no array.
    func elements(of range: Range<Int>) -> [Range<Int>] {
        guard byte(range.lowerBound) == UInt8(ascii: "[") else { return [] }
        var elements: [Range<Int>] = []
        var position = skipBlanks(range.lowerBound + 1)
        while position < range.upperBound - 1 {
            let end = end(ofValueAt: position)
            guard end > position, end <= range.upperBound else { break }
            elements.append(position..<end)
            position = skipBlanks(end)
            if byte(position) == UInt8(ascii: ",") { position = skipBlanks(position + 1) }
        }
        return elements
    }

    /// The last member with this key, as JSON's readers take it.
    func last(_ key: String, in range: Range<Int>) -> Range<Int>? { members(of: range).last { $0.key == key }?.value }

    /// The text of the string at `range`; nil if it is none. Without escapes it is a slice.
    func text(at range: Range<Int>) -> JSONText? {
        guard byte(range.lowerBound) == UInt8(ascii: "\""), range.count >= 2 else { return nil }
        let inner = bytes[range.lowerBound + 1..<range.upperBound - 1]
        let isPlain =
            known(at: range.lowerBound)?.isPlain
            ?? (JSONScan.plainRun(bytes, from: inner.startIndex, to: inner.endIndex).end == inner.endIndex)
        if isPlain { return JSONText(utf8: inner) }
        guard case .string(let text)? = try? JSONParser.parse(Array(bytes[range])) else { return nil }
        return text
    }

    private func byte(_ position: Int) -> UInt8? { position < bytes.count ? bytes[position] : nil }

    private func skipBlanks(_ position: Int) -> Int {
        var position = position
        while let byte = byte(position), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
        return position
    }

    /// Just behind the value that begins at `start`: brackets are counted, strings stepped over.
    private func end(ofValueAt start: Int) -> Int {
        var position = start
        var depth = 0
        while let byte = byte(position) {
            switch byte {
            case UInt8(ascii: "\""):
                position = endOfString(position)
                if depth == 0 { return position }
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                position += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return position }
                depth -= 1
                position += 1
                if depth == 0 { return position }
            case UInt8(ascii: ","), 0x20, 0x0A, 0x0D, 0x09:
                if depth == 0 { return position }
                position += 1
            default: position += 1
            }
        }
        return position
    }

    private func endOfString(_ start: Int) -> Int { known(at: start)?.range.upperBound ?? Self.endOfString(bytes, start).end }

    /// The long string that begins here.
    private func known(at start: Int) -> LongString? {
        var low = 0
        var high = long.count
        while low < high {
            let middle = (low + high) / 2
            if long[middle].range.lowerBound < start { low = middle + 1 } else { high = middle }
        }
        return low < long.count && long[low].range.lowerBound == start ? long[low] : nil
    }

    private static func endOfString(_ bytes: [UInt8], _ start: Int) -> (end: Int, isPlain: Bool) {
        var position = start + 1
        var isPlain = true
        while position < bytes.count {
            position = JSONScan.plainRun(bytes, from: position, to: bytes.count).end
            guard position < bytes.count else { break }
            if bytes[position] == UInt8(ascii: "\"") { return (position + 1, isPlain) }
            // A backslash takes the next byte along; a control byte cannot stand here in accepted text.
            isPlain = false
            position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        return (bytes.count, isPlain)
    }
}
