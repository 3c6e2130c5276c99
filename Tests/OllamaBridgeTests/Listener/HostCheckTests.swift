import Testing

@testable import OllamaBridge

@Suite struct HostCheckTests {
    private let check = HostCheck(ownNames: ["bridge.lan"])

    @Test(arguments: [
        "localhost", "LOCALHOST:11434", "a.localhost", "127.0.0.1:80", "10.0.0.5", "[::1]:11434", "host.docker.internal", "bridge.lan:1",
    ])
    func `what cannot be rebound is answered`(host: String) {
        #expect(check.allows(host))
    }

    @Test(arguments: [
        "", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4:",
        "1.2.3.4:port", "[::1", "[::1]x", "[evil]", "a b", "user@localhost", "-0.0.0.0", "1.-0.0.0:1", "01234.0.0.0",
    ])
    func `any other name is not`(host: String) {
        #expect(!check.allows(host))
    }
}
