/// The hosts and networks that the operator opened for pictures.
public struct AllowedHosts: Sendable, Hashable {
    private var names: [NameRule] = []
    private var networks: [NetworkRule] = []

    /// Nothing is opened.
    public init() {}

    /// Reads entries such as `nas.lan`, `*.example.com`, `10.0.0.5`, `192.168.0.0/16`, `[::1]:8000` or `nas.lan:8080`.
    ///
    /// - Throws: `InvalidEntry` with the first entry that is none of these.
    public init(_ entries: [String]) throws(InvalidEntry) {
        for entry in entries {
            try add(entry)
        }
    }

    /// An entry that cannot be read.
    public struct InvalidEntry: Error, Sendable, Hashable {
        /// The entry as it was given.
        public let entry: String
    }

    /// Whether an entry opens this host by name, whatever address is behind it.
    ///
    /// - Parameter host: In lower case, without a trailing dot.
    func opens(name host: String, port: UInt16) -> Bool {
        names.contains { $0.matches(host) && ($0.port ?? port) == port }
    }

    /// Whether an entry opens this address.
    func opens(_ address: IPAddress, port: UInt16) -> Bool {
        networks.contains { $0.network.contains(address) && ($0.port ?? port) == port }
    }

    private mutating func add(_ entry: String) throws(InvalidEntry) {
        let trimmed = entry.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
        let text = String(trimmed).lowercased()
        if let network = CIDR(text) {
            networks.append(NetworkRule(network: network, port: nil))
            return
        }
        let (host, port) = try splitPort(text, entry: entry)
        if let address = IPAddress(host) {
            networks.append(NetworkRule(network: CIDR(address, prefixLength: address.family == .v4 ? 32 : 128), port: port))
            return
        }
        let isSuffix = host.hasPrefix("*.")
        var name = isSuffix ? host.dropFirst(2) : host[...]
        if name.last == "." { name = name.dropLast() }
        guard isHostName(name) else { throw InvalidEntry(entry: entry) }
        names.append(NameRule(name: String(name), isSuffix: isSuffix, port: port))
    }

    private func splitPort(_ text: String, entry: String) throws(InvalidEntry) -> (host: String, port: UInt16?) {
        guard let colon = text.lastIndex(of: ":"), !text.hasSuffix("]") else { return (text, nil) }
        guard let port = UInt16(text[text.index(after: colon)...]), port > 0 else { throw InvalidEntry(entry: entry) }
        return (String(text[..<colon]), port)
    }

    private func isHostName(_ name: some StringProtocol) -> Bool {
        // A name whose last label is a number is an address spelled badly; it would never match what is dialled.
        let labels = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard let last = labels.last, !last.allSatisfy({ (48...57).contains($0) }) else { return false }
        return labels.allSatisfy { label in
            (1...63).contains(label.count) && label.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 95 }
        }
    }

    private struct NameRule: Sendable, Hashable {
        var name: String
        var isSuffix: Bool
        var port: UInt16?

        func matches(_ host: String) -> Bool {
            isSuffix ? host.hasSuffix("." + name) : host == name
        }
    }

    private struct NetworkRule: Sendable, Hashable {
        var network: CIDR
        var port: UInt16?
    }
}
