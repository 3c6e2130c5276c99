import CCurl

extension IPAddress {
    /// The address in a C structure; nil for other families, Unix sockets for instance.
    init?(_ address: UnsafePointer<curl_sockaddr>, port: inout UInt16) {
        var bytes: [UInt8] = Array(repeating: 0, count: 16)
        let kind = unsafe fetch_curl_address_bytes(address, &bytes, &port)
        self.init(kind: kind, bytes)
    }

    /// The address in libcurl's text; nil for everything else.
    init?(cString: UnsafePointer<CChar>) {
        var bytes: [UInt8] = Array(repeating: 0, count: 16)
        let kind = unsafe fetch_text_address_bytes(cString, &bytes)
        self.init(kind: kind, bytes)
    }

    /// The address in a socket address of the system.
    init?(_ address: UnsafePointer<sockaddr>) {
        var bytes: [UInt8] = Array(repeating: 0, count: 16)
        var port: UInt16 = 0
        let kind = unsafe fetch_sockaddr_bytes(address, &bytes, &port)
        self.init(kind: kind, bytes)
    }

    private init?(kind: CInt, _ bytes: [UInt8]) {
        switch kind {
        case 4: self.init(v4: bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) })
        case 6: self.init(v6: bytes.reduce(0) { $0 << 8 | UInt128($1) })
        default: return nil
        }
    }
}
