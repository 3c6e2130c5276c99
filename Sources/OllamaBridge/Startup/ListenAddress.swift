import Fetch
import Foundation

/// Where to listen, read from flags and from OLLAMA_HOST by Ollama's own rules.
struct ListenAddress: Sendable, Equatable {
    var host: String
    var port: Int

    static let standard = ListenAddress(host: "127.0.0.1", port: 11434)

    /// What OLLAMA_HOST says: `[scheme://]host[:port]`; quotes and blanks are trimmed.
    struct Parts {
        /// Empty if there is none.
        var host: String
        /// Nil if there is none; it may be out of range.
        var port: Int?
        /// 80 after `http://`, 443 after `https://`, else Ollama's.
        var defaultPort: Int
    }

    /// A missing or bad port is 11434, except 80 after `http://` and 443 after `https://`.
    init(ollamaHost text: String) {
        let parts = Parts(ollamaHost: text)
        host = parts.host.isEmpty ? Self.standard.host : parts.host
        port = parts.port.flatMap { (0...65535).contains($0) ? $0 : nil } ?? (parts.port == nil ? parts.defaultPort : Self.standard.port)
    }

    /// Where to listen by the environment alone.
    ///
    /// - Throws: ``StartupError`` for a port that is none.
    init(environment: [String: String]) throws {
        self = environment["OLLAMA_HOST"].map(ListenAddress.init(ollamaHost:)) ?? .standard
        guard let text = environment["PORT"], !text.isEmpty else { return }
        guard let port = Int(text), (0...65535).contains(port) else {
            throw StartupError("PORT is \"\(text)\", which is no port; give a number from 0 to 65535.")
        }
        self.port = port
    }

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Whether only this machine reaches it.
    var isLoopback: Bool {
        if host.lowercased() == "localhost" { return true }
        guard let address = IPAddress(host) else { return false }
        return address.family == .v4 ? address.bits >> 24 == 127 : address.bits == 1
    }

    /// `host:port` as a URL writes it.
    func authority(port: Int) -> String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

extension ListenAddress.Parts {
    init(ollamaHost text: String) {
        var rest = text.trimmingCharacters(in: CharacterSet(charactersIn: " \t\"'"))
        var defaultPort = ListenAddress.standard.port
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
        self.init(host: host, port: port, defaultPort: defaultPort)
    }
}
