/// One request to send.
public struct FetchRequest: Sendable {
    /// The method as it goes on the wire, in capitals.
    public var method: String
    /// An absolute `http` or `https` URL. It is never rewritten and no redirect is ever followed.
    public var url: String
    /// Sent as they are, in this order. `Content-Length`, `Host` and `Expect` belong to the fetcher.
    public var headers: [(name: String, value: String)]
    /// The body in pieces, handed to libcurl one after the other and never joined. Empty means no body (for POST: length 0).
    public var body: [ArraySlice<UInt8>]
    /// How long each phase may take and how much may come back.
    public var limits: FetchLimits
    /// A Unix socket to dial in place of the URL's host; nil dials the host.
    public var unixSocket: String?
    /// A PEM file of authorities to trust in place of the system's; nil trusts the system's.
    public var certificateAuthorityFile: String?
    /// Asked about the very address dialled, before a connection is opened and again before anything is sent; nil allows all.
    var addressGuard: AddressGuard?
    /// Addresses to dial in place of asking DNS; empty asks DNS.
    var pinnedAddresses: [IPAddress] = []

    /// Describes a request; nothing is sent yet.
    public init(
        method: String = "GET",
        url: String,
        headers: [(name: String, value: String)] = [],
        body: [ArraySlice<UInt8>] = [],
        limits: FetchLimits = FetchLimits(),
        unixSocket: String? = nil,
        certificateAuthorityFile: String? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.limits = limits
        self.unixSocket = unixSocket
        self.certificateAuthorityFile = certificateAuthorityFile
    }
}

/// Says whether an address may be dialled; runs on the fetcher's thread and must be quick.
typealias AddressGuard = @Sendable (_ address: IPAddress, _ port: UInt16) -> Bool

/// Keys travel in headers, and URLs of pictures carry signatures: neither is ever printed.
extension FetchRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Method and URL without its query; never a header's value or the body.
    public var description: String {
        "\(method) \(url.prefix { $0 != "?" && $0 != "#" })"
    }
    /// The same as `description`.
    public var debugDescription: String { description }
    /// Shows header names only.
    public var customMirror: Mirror {
        Mirror(self, children: ["request": description, "headers": headers.map(\.name)])
    }
}
