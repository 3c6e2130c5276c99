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
                vector = numbers(bytes)
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
