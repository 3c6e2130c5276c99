/// Which `Host` headers are answered.
///
/// A web page can make its own name resolve to this machine (DNS rebinding) and then speak to the bridge with the browser's blessing, but
/// the Host header still carries the page's name. So only names and addresses that cannot be rebound are answered.
struct HostCheck: Sendable {
    /// Names that the operator's own setup uses, in lower case: the machine's name and the bound host.
    var ownNames: Set<String>
    /// Whether the server's certificate, which may be renewed, is for this name; in lower case.
    var isCertified: @Sendable (String) -> Bool = { _ in false }

    /// - Parameter host: The value of the one Host header.
    func allows(_ host: String) -> Bool {
        guard let name = Self.name(of: host)?.lowercased() else { return false }
        if name == "localhost" || name.hasSuffix(".localhost") || name == "host.docker.internal" { return true }
        return ownNames.contains(name) || Self.isAddress(name) || isCertified(name)
    }

    /// The host without its port; nil if malformed or empty.
    static func name(of host: String) -> String? {
        var name = host[...]
        var port: Substring?
        if name.hasPrefix("[") {
            guard let close = name.firstIndex(of: "]") else { return nil }
            let after = name[name.index(after: close)...]
            guard after.isEmpty || after.hasPrefix(":") else { return nil }
            port = after.isEmpty ? nil : after.dropFirst()
            name = name[...close]
        } else if let colon = name.firstIndex(of: ":") {
            port = name[name.index(after: colon)...]
            name = name[..<colon]
        }
        if let port {
            guard !port.isEmpty, port.utf8.count <= 5, port.utf8.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        }
        guard !name.isEmpty, name.hasPrefix("[") ? isAddress(String(name)) : name.utf8.allSatisfy(isNameByte) else { return nil }
        return String(name)
    }

    /// Letters, digits and what else names carry in practice; no user names, no spaces, no wildcards.
    private static func isNameByte(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            || byte == UInt8(ascii: "_")
    }

    /// An IP literal cannot be rebound: the browser already speaks to exactly that address.
    private static func isAddress(_ name: String) -> Bool {
        if name.hasPrefix("[") {
            return name.utf8.count > 3 && name.dropFirst().dropLast().utf8.allSatisfy { isHexadecimal($0) || $0 == 0x3A || $0 == 0x2E }
        }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { (1...3).contains($0.utf8.count) && $0.utf8.allSatisfy(isDigit) && UInt8($0) != nil }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 6
    }
}
