import Foundation
import Logging

/// Every setting of a running bridge, after flags, environment and files were put together. Flags win over environment, environment over files.
struct Settings: Sendable {
    var address: ListenAddress
    /// The file named by the user; nil means `models.json` in the working directory if there is one.
    var modelsPath: String?
    var allowedImageHosts: [String]
    var origins: [String]
    var logLevel: Logger.Level
    var drain: Duration
    /// Keys clients must present; empty means anyone who reaches the address may use the bridge.
    var clientKeys: [String]
    var environment: [String: String]

    /// - Throws: ``StartupError`` for a value that makes no sense.
    init(flags: ServeFlags, environment: [String: String]) throws {
        var address = environment["OLLAMA_HOST"].map(ListenAddress.init(ollamaHost:)) ?? .standard
        if let port = environment["PORT"] {
            guard let port = Int(port), (0...65535).contains(port) else {
                throw StartupError("PORT is \"\(port)\", which is no port; give a number from 0 to 65535.")
            }
            address.port = port
        }
        if let host = flags.host {
            address.host = host
        }
        if let port = flags.port {
            guard (0...65535).contains(port) else {
                throw StartupError("--port \(port) is no port; give a number from 0 to 65535.")
            }
            address.port = port
        }
        self.address = address
        modelsPath = flags.models ?? environment["OLLAMA_BRIDGE_MODELS"]
        allowedImageHosts = flags.allowImageHost + Self.list(environment["OLLAMA_BRIDGE_ALLOW_IMAGE_HOSTS"])
        origins = Self.list(environment["OLLAMA_ORIGINS"])
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
        clientKeys = flags.apiKey + Self.list(environment["OLLAMA_BRIDGE_API_KEYS"])
        if !address.isLoopback, clientKeys.isEmpty, !flags.noAuth {
            throw StartupError(
                "\(address.host) can be reached from other machines, and whoever reaches it spends your API keys: "
                    + "set client keys with --api-key or OLLAMA_BRIDGE_API_KEYS, or say --no-auth if that is meant.")
        }
        self.environment = environment
    }

    private static func list(_ text: String?) -> [String] {
        (text ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
}
