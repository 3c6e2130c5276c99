import ArgumentParser
import Foundation

struct ServeFlags: ParsableArguments {
    @Option(help: "Address to listen on (default 127.0.0.1, or OLLAMA_HOST).")
    var host: String?

    @Option(help: "Port to listen on (default 11434, or OLLAMA_HOST or PORT); 0 picks a free one.")
    var port: Int?

    @Option(help: "The catalogue of models (default: models.json in the working directory).")
    var models: String?

    @Option(help: "Host name, *.suffix, address or CIDR that image URLs may point to although it is private; repeatable.")
    var allowImageHost: [String] = []

    @Option(help: "A name by which clients reach this server, besides the machine's own; repeatable.")
    var allowHost: [String] = []

    @Option(help: "A key clients must send as Bearer token, KEY or NAME=KEY; repeatable.")
    var apiKey: [String] = []

    @Option(help: "A JSON file of client keys with names and budgets.", completion: .file())
    var apiKeysFile: String?

    @Option(
        help: "Where the usage of budgets is kept over restarts (default: beside the keys file, ending in .usage).", completion: .file())
    var budgetFile: String?

    @Option(help: "A file to which every request is written as one line of JSON.", completion: .file())
    var auditFile: String?

    @Option(help: "Megabytes after which a new audit file is begun; five old ones are kept.")
    var auditMegabytes = 64

    @Flag(help: "Write questions and answers to the audit file too.")
    var auditText = false

    @Flag(help: "Serve anyone who reaches an address that is not loopback.")
    var noAuth = false

    @Option(help: "Seconds that running answers may take to finish after SIGTERM.")
    var drainSeconds = 30

    @Flag(help: "Share the port with another bridge (SO_REUSEPORT), so that a new process takes over without a failed request.")
    var reusePort = false

    @Option(help: "Listen on this Unix socket too.", completion: .file())
    var unixSocket: String?

    @Option(help: "Speak TLS to clients with this certificate (PEM, the server's own first); wants --tls-key.", completion: .file())
    var tlsCertificate: String?

    @Option(help: "The certificate's private key (PEM, without a passphrase).", completion: .file())
    var tlsKey: String?

    @Option(help: "Most open connections (default 1024).")
    var maxConnections: Int?

    @Option(help: "Most requests at upstreams at once (default 512); further ones wait, as many as OLLAMA_MAX_QUEUE says.")
    var maxRunning: Int?

    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel: String?
}

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "serve", abstract: "Listen where Ollama listens and answer (the default).")

    @OptionGroup var flags: ServeFlags

    func run() async throws {
        do {
            let settings = try Settings(flags: flags, environment: EnvironmentFile.environment())
            try await Bridge(settings: settings).run()
        } catch let error as StartupError {
            try? FileHandle.standardError.write(contentsOf: Data("ollama-bridge: \(error)\n".utf8))
            throw ExitCode(1)
        }
    }
}
