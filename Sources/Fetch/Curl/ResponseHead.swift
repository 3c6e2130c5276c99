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
        let text = unsafe line.trimmingLineEnd()
        if unsafe text.isEmpty {
            guard status >= 200 || status == 101 else { return .more }
            isComplete = true
            return .complete
        }
        if unsafe text.first == UInt8(ascii: "H"), unsafe text.starts(with: "HTTP/".utf8) { return unsafe takeStatusLine(text) }
        return unsafe takeField(text)
    }

    private mutating func takeStatusLine(_ text: Slice<UnsafeRawBufferPointer>) -> Step {
        guard let status = unsafe Self.status(text) else { return .malformed }
        self.status = status
        fields = FetchHeaders()
        return .statusLine(isFinal: status >= 200 || status == 101)
    }

    /// The three digits that are the second word.
    private static func status(_ line: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard let end = unsafe line.firstIndex(of: UInt8(ascii: " ")) else { return nil }
        let rest = unsafe line[end...].drop { $0 == UInt8(ascii: " ") }
        let word = unsafe rest.prefix { $0 != UInt8(ascii: " ") }
        guard unsafe word.count == 3 else { return nil }
        var status = 0
        for index in unsafe word.indices {
            let byte = unsafe word[index]
            guard byte &- UInt8(ascii: "0") < 10 else { return nil }
            status = status * 10 + Int(byte &- UInt8(ascii: "0"))
        }
        return status
    }

    private mutating func takeField(_ text: Slice<UnsafeRawBufferPointer>) -> Step {
        guard unsafe !text.contains(0) else { return .malformed }
        // A folded line continues the one before; old, but not wrong enough to fail an answer for it.
        if unsafe text.first == 0x20 || text.first == 0x09 { return .more }
        guard let colon = unsafe text.firstIndex(of: UInt8(ascii: ":")), colon > 0 else { return .malformed }
        let value = unsafe text[(colon + 1)...].drop(while: isBlank)
        let trimmed = unsafe value[..<(value.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? value.startIndex)]
        unsafe fields.append((String(decoding: text[..<colon], as: UTF8.self), String(decoding: trimmed, as: UTF8.self)))
        return .more
    }
}

private func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09
}

extension UnsafeRawBufferPointer {
    fileprivate func trimmingLineEnd() -> Slice<UnsafeRawBufferPointer> {
        var slice = unsafe self[...]
        if unsafe slice.last == 0x0a { unsafe slice.removeLast() }
        if unsafe slice.last == 0x0d { unsafe slice.removeLast() }
        return unsafe slice
    }
}
