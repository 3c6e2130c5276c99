import Foundation
import Logging
import NIOCore
import NIOSSL
import Synchronization
import Translate

/// The certificate and key with which the bridge speaks TLS to its clients. Connections made after ``reload()`` get the new ones.
final class TLSIdentity: Sendable {
    private let files: TLSFiles
    private let log: Logger
    private let state: Mutex<State>

    private struct State {
        let context: NIOSSLContext
        /// The DNS names that the certificate is for, in lower case.
        let names: Set<String>

        /// - Throws: ``StartupError``.
        init(_ files: TLSFiles) throws {
            context = try files.context()
            names = Set(files.names.map { $0.lowercased() })
        }
    }

    /// - Throws: ``StartupError`` that names the file and the remedy.
    init(_ files: TLSFiles, log: Logger) throws {
        self.files = files
        self.log = log
        state = Mutex(try State(files))
        for warning in files.warnings() { log.notice("\(warning)") }
    }

    /// Reads both files again. What does not fit together leaves the old ones in force.
    func reload() {
        do {
            let new = try State(files)
            state.withLock { $0 = new }
            log.notice("Certificate reloaded", metadata: ["file": "\(files.certificate)"])
            for warning in files.warnings() { log.notice("\(warning)") }
        } catch {
            log.warning("The changed certificate is not used, the old one stays in force", metadata: ["reason": "\(error)"])
        }
    }

    /// What has to come first in a connection's pipeline.
    func handler() -> NIOSSLServerHandler { NIOSSLServerHandler(context: state.withLock { $0.context }) }

    /// Whether the certificate is for this host.
    ///
    /// - Parameter host: In lower case. A wildcard stands for one label (RFC 6125 §6.4.3).
    func isFor(_ host: String) -> Bool {
        let names = state.withLock { $0.names }
        if names.contains(host) { return true }
        guard let dot = host.firstIndex(of: "."), dot > host.startIndex else { return false }
        return names.contains("*" + host[dot...])
    }
}

/// Where certificate and key lie.
struct TLSFiles: Sendable, Equatable {
    /// PEM: the server's certificate, then those that lead to its authority.
    var certificate: String
    /// PEM, without a passphrase.
    var key: String

    /// How long a client may take to say goodbye in TLS's own words before its connection is closed without them.
    private static let farewell = TimeAmount.seconds(1)

    /// - Throws: ``StartupError``.
    fileprivate func context() throws -> NIOSSLContext {
        let chain = try certificates()
        let key = try privateKey()
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        configuration.shutdownTimeout = Self.farewell
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw StartupError(
                "The key in \(self.key) does not belong to the certificate in \(certificate): give the two that were made together, "
                    + "and in the certificate's file the server's own first.")
        }
    }

    private func certificates() throws -> [NIOSSLCertificate] {
        let text = try read(certificate, "--tls-certificate")
        guard let chain = try? NIOSSLCertificate.fromPEMBytes(text), !chain.isEmpty else {
            throw StartupError(
                "\(certificate) holds no certificate in PEM (-----BEGIN CERTIFICATE-----); name one with --tls-certificate FILE.")
        }
        return chain
    }

    private func privateKey() throws -> NIOSSLPrivateKey {
        let text = try read(key, "--tls-key")
        if String(decoding: text, as: UTF8.self).contains("ENCRYPTED") {
            throw StartupError("\(key) is protected by a passphrase; write it without one: openssl pkey -in \(key) -out FILE.")
        }
        guard let key = try? NIOSSLPrivateKey(bytes: text, format: .pem) else {
            throw StartupError("\(key) holds no private key in PEM (-----BEGIN PRIVATE KEY-----); name one with --tls-key FILE.")
        }
        return key
    }

    private func read(_ path: String, _ flag: String) throws -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else {
            let reason = FileManager.default.fileExists(atPath: path) ? "may not be read" : "does not exist"
            throw StartupError("\(path) \(reason); name the file with \(flag) FILE.")
        }
        return Array(data)
    }

    fileprivate var names: [String] {
        guard let own = try? certificates().first else { return [] }
        return own._subjectAlternativeNames().filter { $0.nameType == .dnsName }.map { String(decoding: $0.contents, as: UTF8.self) }
    }

    /// Things the operator should know and that do not stop the start.
    fileprivate func warnings() -> [String] {
        var warnings: [String] = []
        let mode = (try? FileManager.default.attributesOfItem(atPath: key)[.posixPermissions] as? Int) ?? 0
        if mode & 0o007 != 0 { warnings.append("\(key) can be read by everyone on this machine: chmod 600 it.") }
        if let expiry = try? certificates().first?.notValidAfter, Int64(expiry) < Clock.now().seconds {
            warnings.append("The certificate in \(certificate) has expired; clients will refuse it.")
        }
        return warnings
    }
}

extension Error {
    /// Most clients close without TLS's goodbye, which matters only where the end of the connection ends the message; HTTP/1.1's requests
    /// say themselves where they end.
    var isMissingTLSFarewell: Bool {
        if let error = self as? NIOSSLError, case .uncleanShutdown = error { return true }
        return false
    }
}
