import Fetch
import Foundation
import Logging
import Translate

/// Every setting of a running bridge, after flags, environment and files were put together. Flags win over environment, environment over files.
struct Settings: Sendable {
    var address: ListenAddress
    /// The file named by the user; nil means `models.json` in the working directory if there is one.
    var modelsPath: String?
    var allowedImageHosts: [String]
    var origins: [String]
    /// Names by which clients reach this server, besides the machine's own and those of its certificate.
    var hostNames: [String]
    var logLevel: Logger.Level
    var drain: Duration
    /// Keys clients must present; empty means anyone who reaches the address may use the bridge.
    var clientKeys: [String]
    var environment: [String: String]
    var limits: ListenerLimits
    /// How long upstreams may take.
    var upstream: FetchLimits
    /// Whether another process may listen on the same port.
    var sharesPort: Bool
    var unixSocket: String?
    /// Nil speaks plain HTTP.
    var tls: TLSFiles?
    /// The file of further client keys.
    var keysPath: String?
    /// What it holds at the start, budgets too.
    var keysFile: ClientKeysFile?
    /// Where usage is kept; nil without budgets.
    var budgetPath: String?
    var auditPath: String?
    var auditBytes: Int
    var auditHoldsText: Bool

    /// - Throws: ``StartupError`` for a value that makes no sense.
    init(flags: ServeFlags, environment: [String: String]) throws {
        var address = try ListenAddress(environment: environment)
        if let host = flags.host {
            let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
            guard !bare.contains("/"), !bare.contains(":") || IPAddress(bare) != nil else {
                throw StartupError("--host \"\(host)\" is no host; give a name or an address alone, and the port with --port.")
            }
            address.host = bare
        }
        if let port = flags.port {
            guard (0...65535).contains(port) else {
                throw StartupError("--port \(port) is no port; give a number from 0 to 65535.")
            }
            address.port = port
        }
        self.address = address
        modelsPath = CatalogFile.name(flags.models, environment)
        allowedImageHosts = flags.allowImageHost + Self.list(environment["OLLAMA_BRIDGE_ALLOW_IMAGE_HOSTS"])
        origins = Self.list(environment["OLLAMA_ORIGINS"])
        hostNames = flags.allowHost + Self.list(environment["OLLAMA_BRIDGE_ALLOW_HOSTS"])
        for name in hostNames where HostCheck.name(of: name) != name {
            throw StartupError("\"\(name)\" is no host name; --allow-host takes a name without scheme and port, such as nas.lan.")
        }
        let level = flags.logLevel ?? environment["OLLAMA_BRIDGE_LOG_LEVEL"] ?? "info"
        guard let logLevel = Logger.Level(rawValue: level.lowercased()) else {
            let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw StartupError("\"\(level)\" is no log level; use one of \(levels).")
        }
        self.logLevel = logLevel
        guard flags.drainSeconds >= 0, flags.drainSeconds <= 86_400 else {
            throw StartupError("--drain-seconds must be between 0 and 86400.")
        }
        drain = .seconds(flags.drainSeconds)
        clientKeys = flags.apiKey + Self.clientKeys(in: environment)
        for key in clientKeys { try ClientKeysFile.check(key, "--api-key or OLLAMA_BRIDGE_API_KEYS") }
        keysPath = flags.apiKeysFile
        keysFile = try flags.apiKeysFile.map(ClientKeysFile.read)
        if let path = keysPath, keysFile?.entries.isEmpty == true {
            throw StartupError("\(path) holds no key; add one or leave --api-keys-file out.")
        }
        budgetPath = flags.budgetFile ?? flags.apiKeysFile.map { $0 + ".usage" }
        guard (1...100_000).contains(flags.auditMegabytes) else { throw StartupError("--audit-megabytes must be between 1 and 100000.") }
        auditPath = flags.auditFile
        auditBytes = flags.auditMegabytes * 1_000_000
        auditHoldsText = flags.auditText
        if !address.isLoopback, clientKeys.isEmpty, keysFile == nil, !flags.noAuth {
            throw StartupError(
                "\(address.host) can be reached from other machines, and whoever reaches it spends your API keys: "
                    + "set client keys with --api-key, --api-keys-file or OLLAMA_BRIDGE_API_KEYS, or say --no-auth if that is meant.")
        }
        self.environment = environment
        sharesPort = flags.reusePort
        unixSocket = flags.unixSocket
        tls = try Self.tls(flags, environment)
        limits = try Self.limits(flags, environment)
        upstream = try Self.upstream(environment)
    }

    /// Whether clients must present a key.
    var wantsKeys: Bool { !clientKeys.isEmpty || keysFile != nil }

    private static func tls(_ flags: ServeFlags, _ environment: [String: String]) throws -> TLSFiles? {
        let certificate = flags.tlsCertificate ?? environment["OLLAMA_BRIDGE_TLS_CERTIFICATE"]
        let key = flags.tlsKey ?? environment["OLLAMA_BRIDGE_TLS_KEY"]
        switch (certificate, key) {
        case (nil, nil): return nil
        case (let certificate?, let key?): return TLSFiles(certificate: certificate, key: key)
        case (_?, nil):
            throw StartupError("A certificate is useless without its private key; name that with --tls-key or OLLAMA_BRIDGE_TLS_KEY.")
        case (nil, _?):
            throw StartupError(
                "A private key is useless without its certificate; name that with --tls-certificate or OLLAMA_BRIDGE_TLS_CERTIFICATE.")
        }
    }

    private static func limits(_ flags: ServeFlags, _ environment: [String: String]) throws -> ListenerLimits {
        var limits = ListenerLimits()
        limits.fit(into: MemoryAllowance.bytes)
        for (name, value) in [("--max-connections", flags.maxConnections), ("--max-running", flags.maxRunning)] {
            if let value, value < 1 { throw StartupError("\(name) must be at least 1.") }
        }
        limits.connections = flags.maxConnections ?? limits.connections
        limits.running = flags.maxRunning ?? limits.running
        if let text = environment["OLLAMA_MAX_QUEUE"], !text.isEmpty {
            guard let queue = Int(text), queue >= 0 else { throw StartupError("OLLAMA_MAX_QUEUE is \"\(text)\"; give a number.") }
            limits.queue = queue
        }
        return limits
    }

    private static func upstream(_ environment: [String: String]) throws -> FetchLimits {
        var limits = FetchLimits()
        if let text = environment["OLLAMA_LOAD_TIMEOUT"], !text.isEmpty {
            switch KeepAlive(text: text) {
            case .duration(let duration)?: limits.firstByte = duration > .zero ? duration : unlimited
            case .forever?: limits.firstByte = unlimited
            case nil: throw StartupError("OLLAMA_LOAD_TIMEOUT is \"\(text)\"; give a duration such as 5m.")
            }
        }
        return limits
    }

    /// No model takes this long to load, and no clock overflows.
    private static let unlimited = Duration.seconds(365 * 86_400)

    static func clientKeys(in environment: [String: String]) -> [String] { list(environment["OLLAMA_BRIDGE_API_KEYS"]) }

    private static func list(_ text: String?) -> [String] {
        (text ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
}
