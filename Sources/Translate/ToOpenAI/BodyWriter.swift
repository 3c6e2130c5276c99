/// Writes JSON as a list of pieces, so that a picture's base64 goes in by reference.
struct BodyWriter {
    private var pieces: [ArraySlice<UInt8>] = []
    private var current: [UInt8] = []

    /// - Parameter bytes: What is to come, roughly, in pieces that go in by copy.
    init(expecting bytes: Int = 0) { current.reserveCapacity(bytes) }

    /// JSON text as it stands.
    mutating func raw(_ text: StaticString) { current.append(text: text) }
    mutating func raw(_ bytes: ArraySlice<UInt8>) { current.append(contentsOf: bytes) }
    mutating func string(_ text: JSONText) { JSONWriter.append(quoting: text.utf8, to: &current) }
    mutating func string(_ text: String) { JSONWriter.append(quoting: text, to: &current) }
    mutating func value(_ value: JSONValue) { JSONWriter.append(value, to: &current) }

    /// Base64, which needs no escaping.
    mutating func picture(_ base64: [ArraySlice<UInt8>]) {
        if !current.isEmpty { pieces.append(current[...]) }
        pieces += base64
        current = []
    }

    consuming func finish() -> [ArraySlice<UInt8>] {
        if !current.isEmpty { pieces.append(current[...]) }
        return pieces
    }
}
