private import CBytes

/// Long stretches of a text in which every byte stands for itself in a JSON string and is ASCII.
///
/// A picture's base64 is one. Found while the bytes are still in the processor's cache, right after they came, they save the parser from
/// reading megabytes again only to find where a string ends.
public struct PlainStretches: Sendable {
    /// In order, none touching the next.
    private(set) var ranges: [Range<Int>] = []
    /// Looked at so far.
    private var position = 0

    /// Shorter ones are not worth the telling.
    private static let shortest = 4096

    public init() {}

    /// Looks at what was appended to a text.
    public mutating func lookAt(_ text: [UInt8]) {
        unsafe text.withUnsafeBufferPointer { text in
            guard let base = text.baseAddress else { return }
            while text.count - position >= 64 {
                var isHigh: Int32 = 0
                let count = unsafe cb_plain_blocks(base + position, text.count - position, &isHigh)
                if isHigh == 0, count > 0 { note(position..<(position + count)) }
                position += count
                // What stopped it lies within the next block.
                if text.count - position >= 64 { position += 64 }
            }
        }
    }

    private mutating func note(_ range: Range<Int>) {
        if let last = ranges.last, last.upperBound == range.lowerBound {
            ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
        } else {
            if let last = ranges.last, last.count < Self.shortest { ranges.removeLast() }
            ranges.append(range)
        }
    }
}

/// Walks along the stretches as a parser does along its text.
struct PlainStretchCursor {
    private let ranges: [Range<Int>]
    private var next = 0

    init(_ stretches: PlainStretches) { ranges = stretches.ranges }

    /// As ``JSONScan/plainRun(_:from:to:)``.
    mutating func plainRun(_ bytes: [UInt8], from start: Int, to end: Int) -> (end: Int, isASCII: Bool) {
        var position = start
        var isASCII = true
        while next < ranges.count {
            let stretch = ranges[next].clamped(to: 0..<end)
            if stretch.upperBound <= position {
                next += 1
                continue
            }
            if position < stretch.lowerBound {
                let run = JSONScan.plainRun(bytes, from: position, to: stretch.lowerBound)
                isASCII = isASCII && run.isASCII
                if run.end < stretch.lowerBound { return (run.end, isASCII) }
            }
            position = stretch.upperBound
        }
        let run = JSONScan.plainRun(bytes, from: position, to: end)
        return (run.end, isASCII && run.isASCII)
    }
}
