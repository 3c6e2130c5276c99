import ArgumentParser
import Foundation
import Images
import Translate

struct NormalizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "normalize", abstract: "Run the picture normaliser on files and say what it did.",
        discussion: "Exits with 1 if any file could not be normalised. Without --output nothing is written.")

    @Argument(help: ArgumentHelp("Pictures to normalise.", valueName: "in"), completion: .file())
    var inputs: [String]

    @Option(name: [.short, .long], help: "File to write (one picture) or directory (several).", completion: .file())
    var output: String?

    @Option(help: "Use the limits of this model in models.json.")
    var model: String?

    @Option(help: "The catalogue of models.")
    var models: String?

    @Option(help: "Most bytes of base64 the JPEG may take.")
    var maxBytes: Int?

    @Option(help: "Longest edge in pixels.")
    var maxEdge: Int?

    @Flag(help: "Print one JSON object a picture instead of a table.")
    var json = false

    func validate() throws {
        if inputs.isEmpty { throw ValidationError("Name at least one picture.") }
        if model != nil, maxBytes != nil || maxEdge != nil { throw ValidationError("Give either --model or --max-bytes and --max-edge.") }
        if let maxBytes, maxBytes < 1 { throw ValidationError("--max-bytes must be at least 1.") }
        if let maxEdge, maxEdge < 1 { throw ValidationError("--max-edge must be at least 1.") }
    }

    func run() throws {
        let target = try target()
        let progress = ProgressLine(total: inputs.count)
        var outputs = NormalizeOutputs(output, inputs: inputs)
        var rows: [NormalizeRow] = []
        for (index, input) in inputs.enumerated() {
            progress.show(index, input)
            rows.append(normalize(input, target, &outputs))
        }
        progress.clear()
        print(json ? rows.map(\.jsonLine).joined(separator: "\n") : NormalizeRow.table(rows))
        if rows.contains(where: { $0.error != nil }) { throw ExitCode(1) }
    }

    private func target() throws -> ImageTarget {
        guard let model else { return ImageTarget(maxBase64Bytes: maxBytes, maxEdge: maxEdge) }
        do {
            let environment = EnvironmentFile.environment()
            let file = try CatalogFile.read(named: CatalogFile.name(models, environment), environment: environment)
            guard let resolved = file.catalog.resolve(model) else {
                throw StartupError("\(file.path ?? "The built-in catalogue") has no model \"\(model)\".")
            }
            return ImageTarget(resolved.images)
        } catch let error as StartupError {
            throw ValidationError(error.description)
        }
    }

    private func normalize(_ input: String, _ target: ImageTarget, _ outputs: inout NormalizeOutputs) -> NormalizeRow {
        do {
            let normalizer = ImageNormalizer()
            let bytes = try Self.read(input, limit: normalizer.limits.bytes)
            let image = try normalizer.normalize(bytes, to: target)
            try outputs.write(image.jpeg, of: input)
            return NormalizeRow(file: input, report: image.report)
        } catch let error as ImageError {
            return NormalizeRow(file: input, error: error.publicDetail)
        } catch {
            return NormalizeRow(file: input, error: Self.reason(error))
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch (error as? CocoaError)?.code {
        case .fileReadNoSuchFile?, .fileNoSuchFile?: "The file does not exist."
        case .fileReadNoPermission?, .fileWriteNoPermission?: "The file may not be read or written."
        case .fileWriteOutOfSpace?: "There is no space left to write to."
        default: (error as? NormalizeOutputs.Refusal)?.reason ?? "The file cannot be read or written."
        }
    }

    /// Reads no more than shows that a file is too large.
    private static func read(_ path: String, limit: Int) throws -> [UInt8] {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? file.close() }
        let bytes = Array(try file.read(upToCount: limit + 1) ?? Data())
        // The figure is the file's, not that of what was read of it. A pipe has none.
        if bytes.count > limit { throw ImageError.tooManyBytes(count: (try? file.seekToEnd()).map(Int.init) ?? bytes.count, limit: limit) }
        return bytes
    }
}

extension ImageTarget {
    init(_ settings: ImageSettings) {
        let background: Background =
            switch settings.background {
            case .automatic: .automatic
            case .color(let red, let green, let blue): .colour(red: red, green: green, blue: blue)
            }
        self.init(
            maxBase64Bytes: settings.maxBytes, maxEdge: settings.maxEdge, quality: settings.quality, minQuality: settings.minQuality,
            background: background)
    }
}
