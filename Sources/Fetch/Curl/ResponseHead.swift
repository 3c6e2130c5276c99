/// Reads header lines as libcurl hands them over, one block after the other until a final one is complete.
struct ResponseHead {
    /// What a line was.
    enum Step: Equatable {
        case more
        case statusLine(isFinal: Bool)
        /// The final response's headers are in.
        case complete
        case tooLarge
        case malformed
    }

    private(set) var status = 0
    private(set) var fields = FetchHeaders()
    /// False for answers to HEAD, whose length says nothing about what will come.
    var hasBody = true
    private var byteCount = 0
    private var isComplete = false

    /// What `Content-Length` says; nil if it says nothing readable.
    var contentLength: Int? {
        fields["Content-Length"].flatMap { Int($0) }
    }

    /// Takes the next line, with its line end.
    mutating func take(_ line: UnsafeRawBufferPointer) -> Step {
        byteCount += line.count
        // Interim responses count too, or an endless row of them would have no limit.
        guard byteCount <= FetchLimits.maxHeaderBytes else { return .tooLarge }
        // What still comes behind the body are trailers; nobody needs them.
        guard !isComplete else { return .more }
        let text = unsafe Array(line).trimmingLineEnd()
        if text.isEmpty {
            guard status >= 200 || status == 101 else { return .more }
            isComplete = true
            return .complete
        }
        if text.starts(with: "HTTP/".utf8) { return takeStatusLine(text) }
        return takeField(text)
    }

    private mutating func takeStatusLine(_ text: ArraySlice<UInt8>) -> Step {
        let words = text.split(separator: UInt8(ascii: " "))
        guard words.count >= 2, words[1].count == 3, let status = Int(String(decoding: words[1], as: UTF8.self)) else { return .malformed }
        self.status = status
        fields = FetchHeaders()
        return .statusLine(isFinal: status >= 200 || status == 101)
    }

    private mutating func takeField(_ text: ArraySlice<UInt8>) -> Step {
        guard !text.contains(0) else { return .malformed }
        // A folded line continues the one before; old, but not wrong enough to fail an answer for it.
        if text.first == 0x20 || text.first == 0x09 { return .more }
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")), colon > text.startIndex else { return .malformed }
        let value = text[(colon + 1)...].drop(while: isBlank)
        let trimmed = value[..<(value.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? value.startIndex)]
        fields.append((String(decoding: text[..<colon], as: UTF8.self), String(decoding: trimmed, as: UTF8.self)))
        return .more
    }
}

private func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09
}

extension [UInt8] {
    fileprivate func trimmingLineEnd() -> ArraySlice<UInt8> {
        var slice = self[...]
        if slice.last == 0x0a { slice.removeLast() }
        if slice.last == 0x0d { slice.removeLast() }
        return slice
    }
}
