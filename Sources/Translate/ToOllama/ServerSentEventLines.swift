/// Finds the lines of a server-sent event stream in pieces cut anywhere.
///
/// Lines end in LF, CR or CRLF and are found on bytes, so a character cut in two does no harm. A line that lies wholly in one piece is not copied.
struct ServerSentEventLines: Sendable {
    /// The longest line that is kept. One event with a whole answer in it stays far below; an endless line must not fill the memory.
    static let longestLine = 8 << 20

    /// Where a complete line is.
    enum Line {
        /// In the piece that was given, without its end.
        case inPlace(Range<Int>)
        /// In ``carried``, because it began in an earlier piece.
        case carried
    }

    /// Thrown when a line is longer than ``longestLine``.
    struct TooLong: Error {}

    /// The line that began in an earlier piece, valid until the next call.
    private(set) var carried: [UInt8] = []
    private var carriedIsComplete = false
    private var endedInCarriageReturn = false

    /// The next complete line; nil when the piece is used up, its last incomplete line kept.
    ///
    /// - Parameter position: Where to go on in `bytes`; 0 for a new piece.
    mutating func next(in bytes: Span<UInt8>, at position: inout Int) throws(TooLong) -> Line? {
        if carriedIsComplete {
            carried.removeAll(keepingCapacity: carried.capacity <= 1 << 16)
            carriedIsComplete = false
        }
        if endedInCarriageReturn, position < bytes.count {
            endedInCarriageReturn = false
            if bytes[position] == 0x0A { position += 1 }
        }
        let start = position
        let end = JSONScan.lineEnd(bytes, from: start)
        guard end < bytes.count else {
            position = end
            try carry(bytes, start..<end)
            return nil
        }
        position = end + 1
        if bytes[end] == 0x0D {
            if position == bytes.count {
                endedInCarriageReturn = true
            } else if bytes[position] == 0x0A {
                position += 1
            }
        }
        guard !carried.isEmpty else {
            guard end - start <= Self.longestLine else { throw TooLong() }
            return .inPlace(start..<end)
        }
        try carry(bytes, start..<end)
        carriedIsComplete = true
        return .carried
    }

    private mutating func carry(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(TooLong) {
        guard range.count <= Self.longestLine - carried.count else { throw TooLong() }
        carried.append(copying: bytes.extracting(range))
    }

    /// Whether an incomplete line is left over.
    var hasRest: Bool { !carried.isEmpty && !carriedIsComplete }

    /// Takes the incomplete last line at the end of the stream.
    mutating func takeRest() -> [UInt8] {
        defer { carried = [] }
        return carriedIsComplete ? [] : carried
    }
}

/// What one line of an event stream says.
enum ServerSentEventField {
    /// An empty line: the event is complete.
    case endOfEvent
    /// `data:`; where its value starts in the line.
    case data(Int)
    /// `event:`; where its value starts in the line.
    case event(Int)
    /// A comment, `id:`, `retry:`.
    case ignored
    /// No field of an event stream.
    case foreign

    init(_ line: Span<UInt8>) {
        guard line.count > 0 else {
            self = .endOfEvent
            return
        }
        switch line[0] {
        case UInt8(ascii: "d") where line.starts(with: "data"): self = Self.value(of: line, after: 4).map(Self.data) ?? .foreign
        case UInt8(ascii: "e") where line.starts(with: "event"): self = Self.value(of: line, after: 5).map(Self.event) ?? .foreign
        case UInt8(ascii: ":"): self = .ignored
        case UInt8(ascii: "i") where line.starts(with: "id"): self = Self.value(of: line, after: 2) == nil ? .foreign : .ignored
        case UInt8(ascii: "r") where line.starts(with: "retry"): self = Self.value(of: line, after: 5) == nil ? .foreign : .ignored
        default: self = .foreign
        }
    }

    /// Where the value starts: after the colon and one space, both optional at the line's end.
    private static func value(of line: Span<UInt8>, after name: Int) -> Int? {
        guard line.count > name else { return name }
        guard line[name] == UInt8(ascii: ":") else { return nil }
        return line.count > name + 1 && line[name + 1] == 0x20 ? name + 2 : name + 1
    }
}
