/// An upstream's `/v1/embeddings` answer.
///
/// Read by stepping over the bytes: a batch may hold millions of numbers, and a tree of them would take hundreds of megabytes.
struct EmbeddingsReply: Sendable {
    /// The vectors in order of their `index`.
    private(set) var vectors: [[Float]] = []
    private(set) var usage = TokenUsage()

    /// Returns nil if the body is none, or holds something that is no finite number.
    init?(_ body: [UInt8]) {
        var reader = Reader()
        guard reader.document(body.span), !reader.entries.isEmpty || reader.sawData else { return nil }
        // `sorted` is stable, so vectors without an index stay in the order they came.
        vectors = reader.entries.sorted { $0.index < $1.index }.map(\.vector)
        if let range = reader.usage, let object = try? JSONParser.parse(Array(body[range]), rule: .repair).object {
            usage.take(usage: object)
        }
    }
}

private struct Reader {
    var entries: [(index: Int, vector: [Float])] = []
    var sawData = false
    var usage: Range<Int>?
    private var cursor = JSONCursor()

    mutating func document(_ bytes: Span<UInt8>) -> Bool {
        guard cursor.take(UInt8(ascii: "{"), bytes) else { return false }
        repeat {
            guard let key = cursor.string(bytes), cursor.take(UInt8(ascii: ":"), bytes) else { return false }
            let name = bytes.extracting(key.range)
            if name.count == 4, name.starts(with: "data") {
                guard data(bytes) else { return false }
            } else {
                let start = cursor.position
                guard cursor.skip(bytes) else { return false }
                if name.count == 5, name.starts(with: "usage") { usage = start..<cursor.position }
            }
        } while cursor.take(UInt8(ascii: ","), bytes)
        return cursor.take(UInt8(ascii: "}"), bytes)
    }

    private mutating func data(_ bytes: Span<UInt8>) -> Bool {
        guard cursor.take(UInt8(ascii: "["), bytes) else { return false }
        sawData = true
        if cursor.take(UInt8(ascii: "]"), bytes) { return true }
        repeat {
            guard entry(bytes) else { return false }
        } while cursor.take(UInt8(ascii: ","), bytes)
        return cursor.take(UInt8(ascii: "]"), bytes)
    }

    private mutating func entry(_ bytes: Span<UInt8>) -> Bool {
        guard cursor.take(UInt8(ascii: "{"), bytes) else { return false }
        var index = entries.count
        var vector: [Float]?
        repeat {
            guard let key = cursor.string(bytes), cursor.take(UInt8(ascii: ":"), bytes) else { return false }
            let name = bytes.extracting(key.range)
            if name.count == 9, name.starts(with: "embedding") {
                vector = cursor.peek(bytes) == UInt8(ascii: "\"") ? encoded(bytes) : numbers(bytes)
                guard vector != nil else { return false }
            } else if name.count == 5, name.starts(with: "index") {
                guard let number = cursor.number(bytes), let value = Int(exactly: number.rounded()) else { return false }
                index = value
            } else {
                guard cursor.skip(bytes) else { return false }
            }
        } while cursor.take(UInt8(ascii: ","), bytes)
        guard let vector, cursor.take(UInt8(ascii: "}"), bytes) else { return false }
        entries.append((index, vector))
        return true
    }

    /// Base64 of little-endian Floats: what `encoding_format: base64` asks for, and some servers send without being asked.
    private mutating func encoded(_ bytes: Span<UInt8>) -> [Float]? {
        guard let text = cursor.string(bytes) else { return nil }
        // Some libraries write `\/` for a slash.
        let literal = [UInt8](copying: bytes.extracting(text.range.lowerBound - 1..<text.range.upperBound + 1))
        let plain =
            text.hasEscapes ? (try? JSONParser.parse(literal))?.string.map { Array($0.utf8) } : Array(literal.dropFirst().dropLast())
        guard let plain, let data = Base64Bytes.decode(plain), data.count % 4 == 0 else { return nil }
        var vector: [Float] = []
        vector.reserveCapacity(data.count / 4)
        for start in stride(from: 0, to: data.count, by: 4) {
            let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(data[start + $1]) << UInt32(8 * $1) }
            let value = Float(bitPattern: bits)
            guard value.isFinite else { return nil }
            vector.append(value)
        }
        return vector
    }

    private mutating func numbers(_ bytes: Span<UInt8>) -> [Float]? {
        guard cursor.take(UInt8(ascii: "["), bytes) else { return nil }
        var vector: [Float] = []
        vector.reserveCapacity(entries.last?.vector.count ?? 0)
        if cursor.take(UInt8(ascii: "]"), bytes) { return vector }
        repeat {
            guard let number = cursor.number(bytes) else { return nil }
            let value = Float(number)
            guard value.isFinite else { return nil }
            vector.append(value)
        } while cursor.take(UInt8(ascii: ","), bytes)
        return cursor.take(UInt8(ascii: "]"), bytes) ? vector : nil
    }
}

/// Standard base64 without line breaks, as JSON APIs send it.
private enum Base64Bytes {
    /// - Returns: nil if it is none.
    static func decode(_ text: [UInt8]) -> [UInt8]? {
        var end = text.count
        while end > 0, text.count - end < 2, text[end - 1] == UInt8(ascii: "=") { end -= 1 }
        guard end % 4 != 1 else { return nil }
        var output: [UInt8] = []
        output.reserveCapacity(end / 4 * 3 + 2)
        var bits: UInt32 = 0
        for index in 0..<end {
            guard let value = value(text[index]) else { return nil }
            bits = bits << 6 | UInt32(value)
            guard index % 4 == 3 else { continue }
            output += [UInt8(bits >> 16 & 0xFF), UInt8(bits >> 8 & 0xFF), UInt8(bits & 0xFF)]
            bits = 0
        }
        switch end % 4 {
        case 2: output.append(UInt8(bits >> 4 & 0xFF))
        case 3: output += [UInt8(bits >> 10 & 0xFF), UInt8(bits >> 2 & 0xFF)]
        default: break
        }
        return output
    }

    private static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
