import Foundation

/// Where the results of `normalize` go: nowhere, to one file, or to a directory.
struct NormalizeOutputs {
    /// Why a result was not written.
    struct Refusal: Error {
        let reason: String
    }

    private let output: String?
    private let inputs: [String]
    private let isDirectory: Bool
    /// What was written by this run.
    private var written: Set<String> = []

    init(_ output: String?, inputs: [String]) {
        self.output = output
        self.inputs = inputs
        isDirectory = inputs.count > 1 || output.map(Self.isDirectory) ?? false
    }

    /// - Throws: A `Refusal` where the result would take the place of an input or of another result; what Foundation says of the file otherwise.
    mutating func write(_ jpeg: [UInt8], of input: String) throws {
        guard let output else { return }
        let destination = URL(fileURLWithPath: output)
        // One file that is named may be the input itself: that was asked for.
        guard isDirectory else { return try Data(jpeg).write(to: destination) }
        try FileManager.default.createDirectory(at: destination, withIntermediateDirectories: true)
        let name = URL(fileURLWithPath: input).deletingPathExtension().lastPathComponent
        let file = destination.appendingPathComponent(name + ".jpg")
        let path = Self.resolved(file)
        if inputs.contains(where: { Self.resolved(URL(fileURLWithPath: $0)) == path }) {
            throw Refusal(reason: "Not written: \(file.relativePath) is one of the pictures given. Name another directory.")
        }
        guard written.insert(path).inserted else {
            throw Refusal(reason: "Not written: \(file.relativePath) was made from another picture of the same name.")
        }
        try Data(jpeg).write(to: file)
    }

    private static func isDirectory(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
    }

    private static func resolved(_ url: URL) -> String { url.standardizedFileURL.resolvingSymlinksInPath().path }
}
