/// One object of models.json while it is read: typed access, and errors that name the place.
struct CatalogReader {
    let object: JSONObject
    /// Such as `model "gpt-4o"`; nil for the file as a whole.
    let entry: String?
    /// Keys of enclosing objects, as in `images.`.
    let path: String
    let source: CatalogSource

    init(_ object: JSONObject, entry: String? = nil, path: String = "", source: CatalogSource) {
        self.object = object
        self.entry = entry
        self.path = path
        self.source = source
    }

    /// The value, unless it is null.
    func value(_ key: String) -> JSONValue? { object[key].flatMap { $0 == .null ? nil : $0 } }

    func string(_ key: String) throws(CatalogError) -> String? {
        guard let value = value(key) else { return nil }
        guard let text = value.string else { throw wrongType(key, value, "a string") }
        return text
    }

    func bool(_ key: String) throws(CatalogError) -> Bool? {
        guard let value = value(key) else { return nil }
        guard let isTrue = value.bool else { throw wrongType(key, value, "true or false") }
        return isTrue
    }

    func integer(_ key: String, in range: ClosedRange<Int> = 1...Int.max) throws(CatalogError) -> Int? {
        guard let value = value(key) else { return nil }
        guard let number = value.number else { throw wrongType(key, value, "a whole number") }
        guard let integer = number.integer else { throw error(key, "\(number.text) is no whole number", "use a whole number") }
        guard range.contains(integer) else {
            let bounds = range.upperBound == .max ? "at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
            throw error(key, "\(integer) is out of range", "use a number \(bounds)")
        }
        return integer
    }

    func number(_ key: String) throws(CatalogError) -> Double? {
        guard let value = value(key) else { return nil }
        guard let number = value.number?.double else { throw wrongType(key, value, "a number") }
        return number
    }

    func word<Word: RawRepresentable & CaseIterable>(_ key: String, _ type: Word.Type) throws(CatalogError) -> Word?
    where Word.RawValue == String {
        guard let text = try string(key) else { return nil }
        guard let word = Word(rawValue: text) else {
            throw error(key, "unknown value \"\(text)\"", "use \(Self.choices(Word.allCases.map(\.rawValue)))")
        }
        return word
    }

    func reader(_ key: String) throws(CatalogError) -> CatalogReader? {
        guard let value = value(key) else { return nil }
        guard let object = value.object else { throw wrongType(key, value, "an object") }
        return CatalogReader(object, entry: entry, path: path + key + ".", source: source)
    }

    func array(_ key: String) throws(CatalogError) -> [JSONValue]? {
        guard let value = value(key) else { return nil }
        guard let array = value.array else { throw wrongType(key, value, "an array") }
        return array
    }

    /// Refuses keys nobody reads, because a misspelt `"visoin": true` would silently do nothing. `$schema` and keys beginning with `_` or
    /// named `comment` are free.
    func allowOnly(_ keys: [String]) throws(CatalogError) {
        for member in object.members where !keys.contains(member.key) {
            if member.key.hasPrefix("_") || member.key.hasPrefix("$") || member.key.hasPrefix("comment") { continue }
            let guess = Self.nearest(to: member.key, among: keys)
            throw error(
                member.key, "is not a key known here", guess.map { "write \"\($0)\" if that is meant, or remove it" } ?? "remove it")
        }
    }

    func error(_ key: String?, _ problem: String, _ remedy: String) -> CatalogError {
        CatalogError(
            file: source.file, line: source.line(of: entry, key: key), entry: entry, key: key.map { path + $0 }, problem: problem,
            remedy: remedy)
    }

    func wrongType(_ key: String, _ value: JSONValue, _ wanted: String) -> CatalogError {
        error(key, "is \(Self.described(value))", "use \(wanted)")
    }

    static func described(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool: "true or false"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// `"a", "b" or "c"`.
    static func choices(_ words: [String]) -> String {
        let quoted = words.map { "\"\($0)\"" }
        guard let last = quoted.last, quoted.count > 1 else { return quoted.first ?? "" }
        return quoted.dropLast().joined(separator: ", ") + " or " + last
    }

    /// The word that differs by the fewest letters, if it is near enough to be a slip.
    static func nearest(to word: String, among words: [String]) -> String? {
        words.map { ($0, distance(Array(word.utf8), Array($0.utf8))) }.min { $0.1 < $1.1 }.flatMap { $0.1 <= 2 ? $0.0 : nil }
    }

    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var row = Array(0...b.count)
        for i in a.indices {
            var diagonal = row[0]
            row[0] = i + 1
            for j in b.indices {
                let change = diagonal + (a[i] == b[j] ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(change, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[b.count]
    }
}

/// The text of models.json, kept to tell lines by.
struct CatalogSource: Sendable {
    let file: String
    let bytes: [UInt8]

    /// The line of a key in an entry: found by searching the text, so a good guess rather than a promise.
    ///
    /// - Parameter entry: As errors name it, with the name in quotes.
    func line(of entry: String?, key: String?) -> Int? {
        var offset = 0
        if let entry, let quote = entry.firstIndex(of: "\"") {
            guard let found = find(String(entry[quote...]), from: 0) else { return nil }
            offset = found
        }
        if let key, let found = find("\"\(key)\"", from: offset) { offset = found }
        if entry == nil, key == nil { return nil }
        return line(at: offset)
    }

    func line(at offset: Int) -> Int { bytes.prefix(offset).count { $0 == UInt8(ascii: "\n") } + 1 }

    /// The first place of a quoted word that is used as a key.
    private func find(_ word: String, from start: Int) -> Int? {
        let word = Array(word.utf8)
        guard let first = word.first else { return nil }
        var position = start
        while position + word.count <= bytes.count {
            if bytes[position] == first, bytes[position..<position + word.count].elementsEqual(word) {
                let rest = bytes[(position + word.count)...].drop { $0 <= 0x20 }
                if rest.first == UInt8(ascii: ":") { return position }
            }
            position += 1
        }
        return nil
    }
}
