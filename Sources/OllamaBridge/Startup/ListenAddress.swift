import Foundation

/// Where to listen, read from flags and from OLLAMA_HOST by Ollama's own rules.
struct ListenAddress: Sendable, Equatable {
    var host: String
    var port: Int

    static let standard = ListenAddress(host: "127.0.0.1", port: 11434)

    /// `[scheme://]host[:port]`. A missing or bad port is 11434, except 80 after `http://` and 443 after `https://`; quotes and blanks are trimmed.
    init(ollamaHost text: String) {
        var rest = text.trimmingCharacters(in: CharacterSet(charactersIn: " \t\"'"))
        var defaultPort = Self.standard.port
        if let scheme = rest.range(of: "://") {
            switch rest[..<scheme.lowerBound] {
            case "http": defaultPort = 80
            case "https": defaultPort = 443
            default: break
            }
            rest = String(rest[scheme.upperBound...])
        }
        if let slash = rest.firstIndex(of: "/") { rest = String(rest[..<slash]) }
        var host = rest
        var port: Int?
        if rest.hasPrefix("["), let close = rest.firstIndex(of: "]") {
            host = String(rest[rest.index(after: rest.startIndex)..<close])
            port = Int(rest[rest.index(after: close)...].dropFirst())
        } else if let colon = rest.lastIndex(of: ":"), rest.firstIndex(of: ":") == colon {
            host = String(rest[..<colon])
            port = Int(rest[rest.index(after: colon)...])
        }
        self.host = host.isEmpty ? Self.standard.host : host
        self.port = port.flatMap { (0...65535).contains($0) ? $0 : nil } ?? (port == nil ? defaultPort : Self.standard.port)
    }

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    var isLoopback: Bool {
        host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }

    /// `host:port` as a URL writes it.
    func authority(port: Int) -> String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
