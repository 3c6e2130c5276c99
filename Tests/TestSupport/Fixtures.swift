public import Foundation

/// The files under `fixtures/`.
public enum Fixtures {
    /// The folder of all of them.
    public static let folder = URL(filePath: #filePath).appending(path: "../../../fixtures").standardized

    /// - Parameter path: Within the folder.
    public static func bytes(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appending(path: path)))
    }
}
