/// An IPv4 or IPv6 address as a number; how it was spelled is forgotten.
public struct IPAddress: Sendable, Hashable {
    /// Which of the two kinds it is.
    public enum Family: Sendable, Hashable {
        /// 32 bits.
        case v4
        /// 128 bits.
        case v6
    }
    /// Which of the two kinds it is.
    public let family: Family
    /// The address as a number; an IPv4 address fills the lowest 32 bits.
    public let bits: UInt128

    init(v4 bits: UInt32) {
        family = .v4
        self.bits = UInt128(bits)
    }

    init(v6 bits: UInt128) {
        family = .v6
        self.bits = bits
    }

    /// Reads `127.0.0.1` or `2001:db8::1`, with or without brackets; nil for everything else: names, ports, zones, and the octal, hex and
    /// short spellings, which belong to the URL parser.
    public init?(_ text: some StringProtocol) {
        var text = text[...]
        if text.first == "[", text.last == "]" {
            text = text.dropFirst().dropLast()
            guard text.contains(":") else { return nil }
        }
        if let value = Self.parseV4(text.utf8) {
            self.init(v4: value)
        } else if let value = Self.parseV6(text) {
            self.init(v6: value)
        } else {
            return nil
        }
    }

    private static func parseV4(_ text: some Collection<UInt8>) -> UInt32? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0") else { return nil }
            var octet: UInt32 = 0
            for byte in part {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                octet = octet * 10 + UInt32(byte - UInt8(ascii: "0"))
            }
            guard octet <= 255 else { return nil }
            value = value << 8 | octet
        }
        return value
    }

    private static func parseV6(_ text: some StringProtocol) -> UInt128? {
        let halves = splitAtDoubleColon(Array(text.utf8))
        guard let head = groups(halves.head, mayEndDotted: !halves.isShort), let tail = groups(halves.tail, mayEndDotted: true) else {
            return nil
        }
        let missing = 8 - head.count - tail.count
        guard halves.isShort ? missing >= 1 : missing == 0 && halves.tail.isEmpty else { return nil }
        let all = head + Array(repeating: 0, count: missing) + tail
        return all.reduce(0) { $0 << 16 | UInt128($1) }
    }

    private static func splitAtDoubleColon(_ text: [UInt8]) -> (head: ArraySlice<UInt8>, tail: ArraySlice<UInt8>, isShort: Bool) {
        let colon = UInt8(ascii: ":")
        for index in text.indices.dropLast() where text[index] == colon && text[index + 1] == colon {
            return (text[..<index], text[(index + 2)...], true)
        }
        return (text[...], [], false)
    }

    /// 16-bit groups; the very last two may be written as a dotted IPv4 address.
    private static func groups(_ text: ArraySlice<UInt8>, mayEndDotted: Bool) -> [UInt16]? {
        guard !text.isEmpty else { return [] }
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var groups: [UInt16] = []
        for (index, part) in parts.enumerated() {
            if mayEndDotted, index == parts.count - 1, let dotted = parseV4(part) {
                groups += [UInt16(dotted >> 16), UInt16(dotted & 0xffff)]
                continue
            }
            guard (1...4).contains(part.count) else { return nil }
            var value: UInt16 = 0
            for byte in part {
                guard let digit = hexDigit(byte) else { return nil }
                value = value << 4 | UInt16(digit)
            }
            groups.append(value)
        }
        return groups.count <= 8 ? groups : nil
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension IPAddress: CustomStringConvertible {
    /// Dotted for IPv4; eight hexadecimal groups for IPv6, not shortened.
    public var description: String {
        switch family {
        case .v4:
            (0..<4).map { String(UInt8(truncatingIfNeeded: bits >> (24 - 8 * $0))) }.joined(separator: ".")
        case .v6:
            (0..<8).map { String(UInt16(truncatingIfNeeded: bits >> (112 - 16 * $0)), radix: 16) }.joined(separator: ":")
        }
    }
}
