import Foundation

/// A certificate that signs itself and its key, made by the `openssl` program, in a folder that goes with it.
public final class TestCertificate: Sendable {
    /// PEM; its own authority.
    public let certificate: String
    /// PEM.
    public let key: String
    private let folder: URL

    /// Whether certificates can be made here.
    public static var canBeMade: Bool { FileManager.default.isExecutableFile(atPath: openSSL) }

    /// Where the program is.
    public static let openSSL = "/usr/bin/openssl"

    /// - Parameters:
    ///   - name: The DNS name it is for.
    ///   - days: How long it holds; less than zero makes one that has run out.
    public init(name: String = "localhost", days: Int = 30) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("certificate-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        (key, certificate) = (folder.path + "/key.pem", folder.path + "/cert.pem")
        // A certificate that has run out cannot be asked for with -days; one that begins and ends in the past can be signed.
        try Self.run([
            "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", folder.path + "/req.pem", "-subj", "/CN=\(name)",
        ])
        try Data("subjectAltName=DNS:\(name)\n".utf8).write(to: folder.appendingPathComponent("ext"))
        try Self.run([
            "x509", "-req", "-in", folder.path + "/req.pem", "-signkey", key, "-out", certificate, "-days", "\(days)", "-extfile",
            folder.path + "/ext",
        ])
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// Runs `openssl`.
    ///
    /// - Throws: If it fails.
    public static func run(_ arguments: [String]) throws {
        let status = try ChildProgram(openSSL, arguments).waitUntilExit()
        guard status == 0 else { throw StubFailure.system(status) }
    }
}
