import Foundation
public import Testing

/// One case under `fixtures/`: a folder whose files are the input and the expected output.
public struct FixtureFolder: Sendable, CustomTestStringConvertible {
    /// The folder's name, which is the case's.
    public let name: String
    private let url: URL

    /// All cases of a kind, such as `chat`, in order of their names.
    public static func all(_ kind: String) -> [FixtureFolder] {
        let folder = Fixtures.folder.appending(path: kind)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.sorted().filter { !$0.hasPrefix(".") }.map {
            FixtureFolder(name: $0, url: folder.appendingPathComponent($0))
        }
    }

    /// A file's bytes; nil if the case does not have it.
    public func file(_ name: String) -> [UInt8]? {
        (try? Data(contentsOf: url.appendingPathComponent(name))).map(Array.init)
    }

    /// The case's name, for test reports.
    public var testDescription: String { name }
}
