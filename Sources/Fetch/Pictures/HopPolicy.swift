/// Which URLs may be fetched for a stranger, hop by hop.
struct HopPolicy: Sendable {
    let allowed: AllowedHosts
    let ownEndpoints: [ImageFetchConfiguration.Endpoint]

    /// Longer URLs are nobody's picture; signed ones of the large object stores stay below.
    static let maxURLBytes = 8192

    /// Reads what a client wrote.
    ///
    /// - Throws: `unsupportedURL` for anything that is not plainly `http://…` or `https://…`, or carries a user name.
    func parse(_ text: String) throws(ImageFetchError) -> ParsedURL {
        // libcurl forgives a missing or third slash; whoever writes one wants to be misread.
        let folded = text.prefix(9).lowercased()
        guard folded.hasPrefix("http://") || folded.hasPrefix("https://"), !folded.hasPrefix("http:///"), folded != "https:///",
            let url = ParsedURL(text)
        else { throw .unsupportedURL }
        try check(url, writtenAs: text)
        return url
    }

    /// Reads a `Location` that came from `base`.
    func follow(_ location: String, from base: ParsedURL) throws(ImageFetchError) -> ParsedURL {
        guard let url = ParsedURL(location, relativeTo: base) else { throw .unsupportedURL }
        try check(url, writtenAs: location)
        // What was private on the way must not become readable on it.
        guard base.scheme == "http" || url.scheme == "https" else { throw .addressNotAllowed }
        return url
    }

    private func check(_ url: ParsedURL, writtenAs text: String) throws(ImageFetchError) {
        guard url.scheme == "http" || url.scheme == "https", !url.hasUserInfo, url.text.utf8.count <= Self.maxURLBytes,
            !text.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f || $0 == UInt8(ascii: "\\") })
        else { throw .unsupportedURL }
        guard !url.hasZone else { throw .addressNotAllowed }
        if let address = url.address {
            guard mayDial(url)(address, url.port) else { throw .addressNotAllowed }
        }
        guard !allowed.opens(name: url.host, port: url.port) else { return }
        guard !isLocalName(url.host) else { throw .addressNotAllowed }
        guard isWebPort(url.port) || url.address.map({ allowed.opens($0, port: url.port) }) ?? false else { throw .addressNotAllowed }
    }

    /// The question that is asked about every address dialled for this URL.
    func mayDial(_ url: ParsedURL) -> AddressGuard {
        let isOpenedByName = allowed.opens(name: url.host, port: url.port)
        let (allowed, ownEndpoints) = (allowed, ownEndpoints)
        return { address, port in
            let isOwn = ownEndpoints.contains { own in
                own.port == port && own.address.family == address.family && (own.address == address || own.address.bits == 0)
            }
            return !isOwn && (isOpenedByName || AddressPolicy.isPublic(address) || allowed.opens(address, port: port))
        }
    }

    /// Names that mean this machine or a cloud's metadata service wherever one is. All others are judged by their addresses.
    private func isLocalName(_ host: String) -> Bool {
        host == "localhost" || host.hasSuffix(".localhost") || host == "localhost.localdomain" || host.hasPrefix("ip6-l")
            || ["metadata", "metadata.google.internal", "metadata.goog", "instance-data", "instance-data.ec2.internal"].contains(host)
    }

    /// Databases, caches, queues, and the control of machines: what stands behind a firewall and answers without being asked who it is.
    private static let otherServices: Set<UInt16> = [
        1433, 1521, 2049, 2375, 2376, 2379, 3306, 3389, 5432, 5900, 5984, 6000, 6379, 6443, 6667, 9042, 9200, 9300, 10250, 11211, 27017,
    ]

    /// Pictures live on web servers; this is no tool to knock on mail servers and databases with.
    private func isWebPort(_ port: UInt16) -> Bool {
        if port < 1024 { return port == 80 || port == 443 }
        return !Self.otherServices.contains(port)
    }
}
