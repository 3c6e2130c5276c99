private import CBytes
private import CCodecs

/// Where a walk through a JPEG reads. Positions count bytes of the JPEG.
protocol JPEGSource {
    var count: Int { get }

    /// nil behind the end.
    mutating func byte(at position: Int) -> Int?

    /// The bytes of a range within the JPEG, under any indices.
    mutating func part(_ range: Range<Int>) -> ArraySlice<UInt8>

    /// Where entropy-coded data ends: the first 0xFF that begins a marker other than a stuffed zero or RST0...RST7, else ``count``.
    ///
    /// - Parameters:
    ///   - restarts: Counts the RST markers passed.
    ///   - inOrder: Becomes 0 when they do not count 0 to 7 in turn.
    mutating func scanEnd(from position: Int, _ restarts: inout Int64, _ inOrder: inout Int32) -> Int
}

extension [UInt8]: JPEGSource {
    func part(_ range: Range<Int>) -> ArraySlice<UInt8> { self[range] }

    func scanEnd(from position: Int, _ restarts: inout Int64, _ inOrder: inout Int32) -> Int {
        unsafe withUnsafeBufferPointer { unsafe cc_scan_end($0.baseAddress, $0.count, position, &restarts, &inOrder) }
    }
}

/// A JPEG that is still base64 text, decoded piece by piece where the walk is: several megabytes that are only looked at need not be written down.
struct JPEGText: JPEGSource {
    /// Bytes decoded at once. They stay in the processor's nearest cache until they have been looked at.
    private static let windowBytes = 24 << 10

    let count: Int
    /// No character met so far was foreign to the standard alphabet; what was walked past one means nothing.
    private(set) var isSound = true
    private let text: ArraySlice<UInt8>
    /// What the last characters say, if they are padded or no whole group.
    private let lastGroup: [UInt8]
    private var window: [UInt8] = []
    private var windowStart = 0

    /// - Parameter text: Base64, with padding or without.
    /// - Returns: nil if the text's length or end shows that it is none.
    init?(_ text: ArraySlice<UInt8>) {
        let rest = text.count % 4
        let isPadded = rest == 0 && text.last == UInt8(ascii: "=")
        let end = text.endIndex - (isPadded ? 4 : rest)
        guard let last = Base64.decodeLenient(text[end...]), last.isStandard else { return nil }
        self.text = text[..<end]
        lastGroup = last.bytes
        count = self.text.count / 4 * 3 + last.bytes.count
    }

    mutating func byte(at position: Int) -> Int? {
        guard position < count else { return nil }
        show(position..<(position + 1))
        return Int(window[position - windowStart])
    }

    mutating func part(_ range: Range<Int>) -> ArraySlice<UInt8> {
        if range.isEmpty { return [] }
        show(range)
        return window[(range.lowerBound - windowStart)..<(range.upperBound - windowStart)]
    }

    mutating func scanEnd(from position: Int, _ restarts: inout Int64, _ inOrder: inout Int32) -> Int {
        var position = position
        while position < count {
            show(position..<(position + 1))
            let end = windowStart + window.count
            let found = unsafe window.withUnsafeBufferPointer {
                unsafe cc_scan_end($0.baseAddress, $0.count, position - windowStart, &restarts, &inOrder)
            }
            if found < window.count || end == count { return windowStart + found }
            // The window's last byte, if it is 0xFF, has not been counted: what it begins lies in the next one.
            position = window.last == 0xFF ? end - 1 : end
            move(to: position)
        }
        return count
    }

    /// Looks at what no walk has been to: whether all of it is base64.
    mutating func checkRest(from position: Int) -> Bool {
        var position = position
        while isSound, position < count {
            move(to: position)
            position = windowStart + window.count
        }
        return isSound
    }

    /// Makes sure that the window holds a range.
    private mutating func show(_ range: Range<Int>) {
        if range.lowerBound >= windowStart, range.upperBound <= windowStart + window.count { return }
        move(to: range.lowerBound, atLeast: range.count)
    }

    /// Decodes the window anew so that it begins at the group of a position, and holds that many bytes from there on if there are so many.
    private mutating func move(to position: Int, atLeast wanted: Int = 1) {
        let group = position / 3
        let groups = min(text.count / 4 - group, (max(Self.windowBytes, wanted + 2) + 2) / 3)
        let characters = text[(text.startIndex + group * 4)..<(text.startIndex + (group + groups) * 4)]
        windowStart = group * 3
        var isURLSafe: Int32 = 0
        var decoded = 0
        // A part that somebody still holds keeps its bytes.
        window = unsafe [UInt8](unsafeUninitializedCapacity: groups * 3 + 32 + lastGroup.count) { out, written in
            decoded = unsafe characters.withUnsafeBufferPointer {
                unsafe cb_base64_decode_groups($0.baseAddress, $0.count, out.baseAddress, &isURLSafe)
            }
            unsafe out[(decoded / 4 * 3)..<(groups * 3)].initialize(repeating: 0)
            written = groups * 3
        }
        if decoded < characters.count || isURLSafe != 0 { isSound = false }
        if group + groups == text.count / 4 { window += lastGroup }
    }
}
