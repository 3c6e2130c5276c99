/// A network such as `10.0.0.0/8` or `fd00::/8`; a lone address is a network of one.
public struct CIDR: Sendable, Hashable {
    /// The lowest address in it.
    public let base: IPAddress
    /// How many leading bits all its addresses share.
    public let prefixLength: Int

    /// Reads `ADDRESS` or `ADDRESS/BITS`; nil for everything else. Bits behind the prefix count as zero.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(first), parts.count <= 2 else { return nil }
        let width = address.family == .v4 ? 32 : 128
        var length = width
        if parts.count == 2 {
            guard parts[1].utf8.allSatisfy({ (48...57).contains($0) }), let stated = Int(parts[1]), stated <= width else { return nil }
            length = stated
        }
        self.init(address, prefixLength: length)
    }

    init(_ address: IPAddress, prefixLength: Int) {
        self.prefixLength = prefixLength
        base = address.masked(to: prefixLength)
    }

    /// Whether the address lies in this network. An IPv4 network never holds an IPv6 address, mapped ones included.
    public func contains(_ address: IPAddress) -> Bool {
        address.family == base.family && address.masked(to: prefixLength) == base
    }
}

extension IPAddress {
    fileprivate func masked(to length: Int) -> IPAddress {
        switch family {
        case .v4: IPAddress(v4: length == 0 ? 0 : UInt32(bits) & (UInt32.max << (32 - length)))
        case .v6: IPAddress(v6: length == 0 ? 0 : bits & (UInt128.max << (128 - length)))
        }
    }
}
