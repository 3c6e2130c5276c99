import ArgumentParser
import Foundation
import Testing

@testable import OllamaBridge

/// Where settings come from, and which of them wins.
@Suite struct SettingsTests {
    @Test(arguments: [
        ("A=1", "1"), ("export A = 1 ", "1"), ("A=1 # the first", "1"), ("A=1\t# the first", "1"), ("A=1#2", "1#2"), ("A=# none", ""),
        (#"A="1 # 2" # the first"#, "1 # 2"), ("A='1'", "1"), (#"A="1"2"#, #""1"2"#), ("A=", ""), ("# A=1", nil), ("A", nil),
    ])
    func `a line of the file`(line: String, value: String?) {
        #expect(EnvironmentFile.parse(line)["A"] == value)
    }

    @Test func `the process wins over the file, which may hold any bytes`() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }
        try (Data([0xE9, 0x0A]) + Data("PORT=1\nA=file\nB=file\n".utf8)).write(to: file)
        // Ollama's own are without quotes for it too.
        #expect(EnvironmentFile.environment(path: "/nothing", process: ["OLLAMA_ORIGINS": " \"*\" "])["OLLAMA_ORIGINS"] == "*")
        func variables(_ process: [String: String]) -> [String: String] { EnvironmentFile.environment(path: file.path, process: process) }
        #expect(variables(["A": "process"]) == ["A": "process", "B": "file", "PORT": "1"])
        #expect(variables(["OLLAMA_HOST": "127.0.0.1"])["PORT"] == "1")
        #expect(variables(["OLLAMA_HOST": "127.0.0.1:2"])["PORT"] == nil, "it would win over what the process says")
        #expect(variables(["OLLAMA_HOST": "127.0.0.1:2", "PORT": "3"])["PORT"] == "3")
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.9.9.9", true), ("localhost", true), ("LocalHost", true), ("::1", true), ("0.0.0.0", false),
        ("::", false), ("127.example.com", false), ("10.0.0.1", false), ("nas.lan", false),
    ])
    func `only what no other machine reaches needs no keys`(host: String, isLoopback: Bool) {
        #expect(ListenAddress(host: host, port: 1).isLoopback == isLoopback)
        #expect((try? Self.settings("--host", host)) != nil || !isLoopback)
        #expect((try? Self.settings("--host", host, "--no-auth"))?.address.host == host)
    }

    @Test func `a host stands alone, with brackets or without`() throws {
        #expect(try Self.settings("--host", "[::1]").address.host == "::1")
        for host in ["127.0.0.1:80", "http://127.0.0.1", "localhost/"] {
            #expect(throws: StartupError.self) { try Self.settings("--host", host) }
        }
    }

    @Test func `an empty port is none`() throws {
        #expect(try ListenAddress(environment: ["PORT": ""]) == .standard)
        #expect(try ListenAddress(environment: ["OLLAMA_HOST": "::1", "PORT": "80"]) == ListenAddress(host: "::1", port: 80))
        #expect(throws: StartupError.self) { try ListenAddress(environment: ["PORT": "x"]) }
    }

    private static func settings(_ arguments: String...) throws -> Settings {
        try Settings(flags: try ServeFlags.parse(arguments), environment: [:])
    }
}
