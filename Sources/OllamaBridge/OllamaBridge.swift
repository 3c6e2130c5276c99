import ArgumentParser

@main
enum Program {
    static func main() async {
        ProcessSetup.prepare()
        await OllamaBridge.main()
    }
}

struct OllamaBridge: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ollama-bridge",
        abstract: "Speaks Ollama's API in front and an OpenAI-compatible API behind, and turns every picture into a true JPEG on the way.",
        version: Version.bridge,
        subcommands: [ServeCommand.self, NormalizeCommand.self, CheckCommand.self],
        defaultSubcommand: ServeCommand.self)
}

enum Version {
    /// Of this program.
    static let bridge = "0.1.0"
    /// What `/api/version` says: the Ollama release whose API this server satisfies. Clients gate features on it and want three plain numbers.
    static let ollama = "0.13.3"
}
