/// Which addresses a stranger's URL may lead to. Pure: an address in, a verdict out.
public enum AddressPolicy {
    /// Whether an address belongs to the public Internet: not to this machine, its network, a provider's inside, a tunnel or a group.
    ///
    /// An IPv4 address inside an IPv6 one is judged as the IPv4 address where the system itself would dial that (mapped, NAT64's well-known
    /// prefix). Tunnels that could carry one anywhere (6to4, Teredo, ISATAP, local NAT64) are never public.
    public static func isPublic(_ address: IPAddress) -> Bool {
        switch address.family {
        case .v4:
            return !specialV4.contains { $0.contains(address) }
        case .v6:
            if let inner = innerV4(address) { return isPublic(inner) }
            guard globalUnicast.contains(address), !isISATAP(address) else { return false }
            return !specialV6.contains { $0.contains(address) }
        }
    }

    /// The IPv4 address that a mapped or NAT64 address stands for.
    private static func innerV4(_ address: IPAddress) -> IPAddress? {
        guard mapped.contains(address) || nat64.contains(address) else { return nil }
        return IPAddress(v4: UInt32(truncatingIfNeeded: address.bits))
    }

    /// RFC 5214 §6.1: the interface identifier starts with 00-00-5E-FE, under any prefix; two bits of it may vary.
    private static func isISATAP(_ address: IPAddress) -> Bool {
        UInt32(truncatingIfNeeded: address.bits >> 32) & 0xfcff_ffff == 0x0000_5efe
    }

    private static let mapped = network("::ffff:0:0/96")
    private static let nat64 = network("64:ff9b::/96")
    /// All that IANA has given out for the public Internet. Loopback, unspecified, compatible, link-local, site-local, unique local,
    /// multicast, discard-only and local NAT64 lie outside.
    private static let globalUnicast = network("2000::/3")

    /// IANA's special-purpose registry for IPv4.
    private static let specialV4 = [
        "0.0.0.0/8",  // this network
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",  // private
        "100.64.0.0/10",  // behind a provider's NAT; also some clouds' metadata
        "127.0.0.0/8",  // loopback
        "168.63.129.16/32",  // one cloud's metadata, from within its machines
        "169.254.0.0/16",  // link-local; most clouds' metadata
        "192.0.0.0/24",  // protocol assignments; also one cloud's metadata
        "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24",  // documentation
        "192.88.99.0/24",  // 6to4 relays
        "198.18.0.0/15",  // benchmarks
        "224.0.0.0/4",  // multicast
        "240.0.0.0/4",  // reserved, broadcast
    ].map(network)

    /// The same for IPv6, as far as it lies in `2000::/3`.
    private static let specialV6 = [
        "2001::/23",  // protocol assignments, Teredo among them
        "2001:db8::/32", "3fff::/20",  // documentation
        "2002::/16",  // 6to4
    ].map(network)

    private static func network(_ text: String) -> CIDR {
        guard let network = CIDR(text) else { preconditionFailure("\(text) is no network") }
        return network
    }
}
