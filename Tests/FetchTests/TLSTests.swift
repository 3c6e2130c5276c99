import Fetch
import Foundation
import TestSupport
import Testing

/// Against OpenSSL's own test server, where that program is installed.
@Suite(.enabled(if: TestCertificate.canBeMade), .serialized, .timeLimit(.minutes(1)))
struct TLSTests {
    @Test func `a peer with the right certificate answers, over and over`() async throws {
        let server = try TLSServer(name: "localhost")
        defer { server.stop() }
        try await withFetcher { fetcher async throws in
            for _ in 0..<2 {
                var request = FetchRequest(url: "https://localhost:\(server.port)/", limits: .patient)
                request.certificateAuthorityFile = server.certificate
                #expect(try await fetcher.send(request).status == 200)
            }
        }
    }

    @Test(arguments: [("localhost", "127.0.0.1", 30, true), ("localhost", "localhost", -1, true), ("localhost", "localhost", 30, false)])
    func `a certificate for another host, out of date, or of an unknown authority is refused`(
        _ name: String, _ host: String, _ days: Int, _ isTrusted: Bool
    ) async throws {
        let server = try TLSServer(name: name, days: days)
        defer { server.stop() }
        try await withFetcher { fetcher async throws in
            var request = FetchRequest(url: "https://\(host):\(server.port)/", headers: [("Authorization", "Bearer k")], limits: .patient)
            if isTrusted { request.certificateAuthorityFile = server.certificate }
            #expect(await fetchError { _ = try await fetcher.send(request) }?.kind == "tlsFailed")
        }
    }
}

/// `openssl s_server` with a certificate of its own making.
private final class TLSServer {
    let port: Int
    var certificate: String { identity.certificate }
    private let identity: TestCertificate
    private let program: ChildProgram

    init(name: String, days: Int = 30) throws {
        identity = try TestCertificate(name: name, days: days)
        let output = Pipe()
        program = try ChildProgram(
            TestCertificate.openSSL,
            ["s_server", "-accept", "127.0.0.1:0", "-cert", identity.certificate, "-key", identity.key, "-www"],
            output: output.fileHandleForWriting.fileDescriptor)
        try output.fileHandleForWriting.close()
        // It says "ACCEPT 127.0.0.1:PORT" as soon as it listens.
        var said = ""
        while !said.contains("ACCEPT"), let data = try output.fileHandleForReading.read(upToCount: 1) {
            said += String(decoding: data, as: UTF8.self)
        }
        while said.last != "\n", let data = try output.fileHandleForReading.read(upToCount: 1) {
            said += String(decoding: data, as: UTF8.self)
        }
        guard let port = said.split(separator: ":").last.flatMap({ Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }) else {
            throw StubFailure.notARequest
        }
        self.port = port
    }

    func stop() { program.stop() }
}
