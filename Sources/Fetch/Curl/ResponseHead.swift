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
        let whole = unsafe Span(_unsafeElements: line.bindMemory(to: UInt8.self))
        let text = whole.extracting(..<Self.endOfText(whole))
        if text.isEmpty {
            guard status >= 200 || status == 101 else { return .more }
            isComplete = true
            return .complete
        }
        return Self.isStatusLine(text) ? takeStatusLine(text) : takeField(text)
    }

    /// Where the line end begins.
    private static func endOfText(_ line: Span<UInt8>) -> Int {
        var end = line.count
        if end > 0, line[end - 1] == 0x0a { end -= 1 }
        if end > 0, line[end - 1] == 0x0d { end -= 1 }
        return end
    }

    private static func isStatusLine(_ text: Span<UInt8>) -> Bool {
        text.count >= 5 && text[0] == UInt8(ascii: "H") && text[1] == UInt8(ascii: "T") && text[2] == UInt8(ascii: "T")
            && text[3] == UInt8(ascii: "P") && text[4] == UInt8(ascii: "/")
    }

    private mutating func takeStatusLine(_ text: Span<UInt8>) -> Step {
        guard let status = Self.status(text) else { return .malformed }
        self.status = status
        fields = FetchHeaders()
        return .statusLine(isFinal: status >= 200 || status == 101)
    }

    /// The three digits that are the second word.
    private static func status(_ line: Span<UInt8>) -> Int? {
        var position = 0
        while position < line.count, line[position] != 0x20 { position += 1 }
        while position < line.count, line[position] == 0x20 { position += 1 }
        guard position + 3 <= line.count, position + 3 == line.count || line[position + 3] == 0x20 else { return nil }
        var status = 0
        for index in position..<position + 3 {
            guard line[index] &- UInt8(ascii: "0") < 10 else { return nil }
            status = status * 10 + Int(line[index] &- UInt8(ascii: "0"))
        }
        return status
    }

    private mutating func takeField(_ text: Span<UInt8>) -> Step {
        var colon: Int?
        for index in text.indices {
            if text[index] == 0 { return .malformed }
            if colon == nil, text[index] == UInt8(ascii: ":") { colon = index }
        }
        // A folded line continues the one before; old, but not wrong enough to fail an answer for it.
        if isBlank(text[0]) { return .more }
        guard let colon, colon > 0 else { return .malformed }
        var (start, end) = (colon + 1, text.count)
        while start < end, isBlank(text[start]) { start += 1 }
        while start < end, isBlank(text[end - 1]) { end -= 1 }
        fields.append((Self.string(text.extracting(..<colon)), Self.string(text.extracting(start..<end))))
        return .more
    }

    private static func string(_ bytes: Span<UInt8>) -> String {
        unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

/// RFC 9110 §5.6.3.
func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09
}
