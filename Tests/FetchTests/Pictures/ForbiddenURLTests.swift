import TestSupport
import Testing

@testable import Fetch

/// Every spelling is tried against a listener that really stands there: what counts is that nothing reached it.
@Suite(.timeLimit(.minutes(1))) struct ForbiddenURLTests {
    /// `PORT` stands for the listener's port.
    static let loopback = [
        "http://127.0.0.1:PORT/", "http://127.1:PORT/", "http://127.0.1:PORT/", "http://127.255.255.254:PORT/", "http://2130706433:PORT/",
        "http://0x7f000001:PORT/", "http://0x7f.0.0.1:PORT/", "http://0x7F.1:PORT/", "http://017700000001:PORT/", "http://0177.0.0.1:PORT/",
        "http://0177.1:PORT/", "http://127.000.000.001:PORT/", "http://0:PORT/", "http://0.0.0.0:PORT/", "http://127.0.0.1.:PORT/",
        "HTTP://127.0.0.1:PORT/", "http://%31%32%37.0.0.1:PORT/", "http://127%2e0%2e0%2e1:PORT/", "http://[::1]:PORT/", "http://[::]:PORT/",
        "http://[0:0:0:0:0:0:0:1]:PORT/", "http://[::ffff:127.0.0.1]:PORT/", "http://[::ffff:7f00:1]:PORT/", "http://[::127.0.0.1]:PORT/",
        "http://[64:ff9b::7f00:1]:PORT/", "http://[64:ff9b:1::7f00:1]:PORT/", "http://[2002:7f00:1::]:PORT/", "http://[fe80::1%25lo]:PORT/",
        "http://[fd00::1]:PORT/", "http://[fec0::1]:PORT/", "http://[2001:db8::1]:PORT/", "http://[ff02::1]:PORT/",
        "http://localhost:PORT/", "http://LOCALHOST:PORT/", "http://localhost.:PORT/", "http://foo.localhost:PORT/",
        "http://ip6-localhost:PORT/",
        "http://ip6-loopback:PORT/", "http://loc%61lhost:PORT/",
    ]
    static let elsewhere = [
        "http://10.0.0.1/", "http://172.16.0.1/", "http://192.168.0.1/", "http://100.64.0.1/", "http://169.254.169.254/latest/meta-data/",
        "http://0xa9fea9fe/", "http://[::ffff:169.254.169.254]/", "http://[fd00:ec2::254]/", "http://metadata.google.internal/",
        "http://metadata/", "http://224.0.0.1/", "http://255.255.255.255/", "http://198.18.0.1/", "http://203.0.113.9/",
        "http://1.1.1.1:22/", "http://1.1.1.1:25/", "http://1.1.1.1:6379/", "http://[2606:4700::1]:11211/",
    ]
    static let misspelt = [
        "http://user:pw@127.0.0.1:PORT/", "http://127.0.0.1:PORT@ok.test/", "http://ok.test\\@127.0.0.1:PORT/",
        "http://127.0.0.1:PORT\\@ok.test/", "http://@127.0.0.1:PORT/", "http://ok.test:80@127.0.0.1:PORT/", "http:127.0.0.1:PORT/",
        "http:/127.0.0.1:PORT/", "http:///127.0.0.1:PORT/", "//127.0.0.1:PORT/", "127.0.0.1:PORT/", "http://127.0.0.1:PORT/\r\nX: y",
        "http://127.0.0.1\t:PORT/", " http://127.0.0.1:PORT/", "http://127.0.0.1:PORT/a b", "http://127.0.0.1\0.ok.test:PORT/", "http://",
        "http://:PORT/",
        "http://127.0.0.1:99999/", "http://127.0.0.1:-1/", "http://127.0.0.1:PORTx/", "file:///etc/passwd", "FILE:///etc/passwd",
        "file://127.0.0.1:PORT/", "gopher://127.0.0.1:PORT/_x", "dict://127.0.0.1:PORT/", "ftp://127.0.0.1:PORT/", "sftp://127.0.0.1:PORT/",
        "scp://127.0.0.1:PORT/", "ldap://127.0.0.1:PORT/", "smb://127.0.0.1:PORT/", "telnet://127.0.0.1:PORT/", "rtsp://127.0.0.1:PORT/",
        "jar:http://127.0.0.1:PORT/!/", "data:image/png;base64,AAAA", "ws://127.0.0.1:PORT/", "", "http", "http://[::1:PORT/",
        "http://[127.0.0.1]:PORT/", "http://①②⑦.⓪.⓪.①:PORT/", "http://127。0。0。1:PORT/", "http://１２７.0.0.1:PORT/",
    ]

    /// Fetches, and says how it failed and whether anything connected.
    private func outcome(_ spelling: String) async throws -> (error: ImageFetchError?, connections: Int) {
        let listener = try StubUpstream.answering { _ in StubAnswer.whole(body: "inside") }
        defer { listener.stop() }
        let fetcher = ImageFetcher()
        let error = await imageError(fetcher, spelling.replacing("PORT", with: "\(listener.port)"))
        await fetcher.shutdown()
        return (error, listener.connections.count)
    }

    @Test(arguments: loopback + elsewhere) func `is an address that is not allowed`(_ spelling: String) async throws {
        let (error, connections) = try await outcome(spelling)
        #expect(error == .addressNotAllowed)
        #expect(connections == 0)
    }

    @Test(arguments: misspelt) func `is no URL for a picture`(_ spelling: String) async throws {
        let (error, connections) = try await outcome(spelling)
        #expect(error == .unsupportedURL)
        #expect(connections == 0)
    }

    @Test(arguments: ["http://127.0.0.1:PORT#@ok.test/", "http://127.0.0.1:PORT?@ok.test/", "http://127.0.0.1:PORT/@ok.test/"])
    func `what looks like another host behind the real one changes nothing`(_ spelling: String) async throws {
        let (error, connections) = try await outcome(spelling)
        #expect(error == .addressNotAllowed)
        #expect(connections == 0)
    }

    @Test func `a URL of 64 kB is no picture's`() async throws {
        let (error, _) = try await outcome("http://1.1.1.1/" + String(repeating: "a", count: 65536))
        #expect(error == .unsupportedURL)
    }

    @Test func `the operator's word opens a listener, so the table above can fail`() async throws {
        let listener = try StubUpstream.answering { _ in StubAnswer.whole(body: "inside") }
        defer { listener.stop() }
        let fetcher = ImageFetcher(configuration: ImageFetchConfiguration(allowed: try AllowedHosts(["127.0.0.0/8"])))
        for spelling in ["http://127.0.0.1:PORT/", "http://127.1:PORT/", "http://0x7f000001:PORT/"] {
            let image = try await fetcher.fetch(spelling.replacing("PORT", with: "\(listener.port)"))
            #expect(image.bytes == Array("inside".utf8))
        }
        await fetcher.shutdown()
    }
}
