/// One request to send.
///
/// Copies with another body share all the rest. A fetcher knows by that alone that they are alike, so who sends many requests to one place
/// makes one and copies it.
public struct FetchRequest: Sendable {
    /// The body in pieces, handed to libcurl one after the other and never joined. Empty means no body (for POST: length 0).
    public var body: [ArraySlice<UInt8>]
    /// Everything else.
    private(set) var head: RequestHead

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
        self.body = body
        head = RequestHead(
            RequestHead.Facts(
                method: method, url: url, headers: headers, limits: limits, unixSocket: unixSocket,
                certificateAuthorityFile: certificateAuthorityFile))
    }

    /// The same with another body.
    public func with(body: [ArraySlice<UInt8>]) -> FetchRequest {
        var request = self
        request.body = body
        return request
    }

    /// The method as it goes on the wire, in capitals.
    public var method: String { head.facts.method }
    /// An absolute `http` or `https` URL. It is never rewritten and no redirect is ever followed.
    public var url: String { head.facts.url }
    /// Sent as they are, in this order. `Content-Length`, `Host` and `Expect` belong to the fetcher.
    public var headers: [(name: String, value: String)] {
        get { head.facts.headers }
        set { change { $0.headers = newValue } }
    }
    /// A PEM file of authorities to trust in place of the system's; nil trusts the system's.
    public var certificateAuthorityFile: String? {
        get { head.facts.certificateAuthorityFile }
        set { change { $0.certificateAuthorityFile = newValue } }
    }
    /// Asked about the very address dialled, before a connection is opened and again before anything is sent; nil allows all.
    var addressGuard: AddressGuard? {
        get { head.facts.addressGuard }
        set { change { $0.addressGuard = newValue } }
    }
    /// Addresses to dial in place of asking DNS; empty asks DNS.
    var pinnedAddresses: [IPAddress] {
        get { head.facts.pinnedAddresses }
        set { change { $0.pinnedAddresses = newValue } }
    }

    private mutating func change(_ change: (inout RequestHead.Facts) -> Void) {
        var facts = head.facts
        change(&facts)
        head = RequestHead(facts)
    }
}

/// All of a request but its body. Two requests with the same one are alike.
final class RequestHead: Sendable {
    struct Facts: Sendable {
        var method: String
        var url: String
        var headers: [(name: String, value: String)]
        /// How long each phase may take and how much may come back.
        var limits: FetchLimits
        /// A Unix socket to dial in place of the URL's host; nil dials the host.
        var unixSocket: String?
        var certificateAuthorityFile: String?
        var addressGuard: AddressGuard?
        var pinnedAddresses: [IPAddress] = []
    }

    let facts: Facts

    init(_ facts: Facts) { self.facts = facts }
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
