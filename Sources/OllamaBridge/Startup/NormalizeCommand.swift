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
        var rows: [NormalizeRow] = []
        for (index, input) in inputs.enumerated() {
            progress.show(index, input)
            rows.append(normalize(input, target))
        }
        progress.clear()
        print(json ? rows.map(\.jsonLine).joined(separator: "\n") : NormalizeRow.table(rows))
        if rows.contains(where: { $0.error != nil }) { throw ExitCode(1) }
    }

    private func target() throws -> ImageTarget {
        guard let model else { return ImageTarget(maxBase64Bytes: maxBytes, maxEdge: maxEdge) }
        do {
            let file = try CatalogFile.read(named: models, environment: EnvironmentFile.environment())
            guard let resolved = file.catalog.resolve(model) else {
                throw StartupError("\(file.path ?? "The built-in catalogue") has no model \"\(model)\".")
            }
            return ImageTarget(resolved.images)
        } catch let error as StartupError {
            throw ValidationError(error.description)
        }
    }

    private func normalize(_ input: String, _ target: ImageTarget) -> NormalizeRow {
        do {
            let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: input)))
            let image = try ImageNormalizer().normalize(bytes, to: target)
            if let output { try Data(image.jpeg).write(to: destination(of: input, in: output)) }
            return NormalizeRow(file: input, report: image.report)
        } catch let error as ImageError {
            return NormalizeRow(file: input, error: error.publicDetail)
        } catch {
            return NormalizeRow(file: input, error: "The file cannot be read or written.")
        }
    }

    private func destination(of input: String, in output: String) throws -> URL {
        let url = URL(fileURLWithPath: output)
        var isDirectory: ObjCBool = false
        let exists = unsafe FileManager.default.fileExists(atPath: output, isDirectory: &isDirectory)
        if inputs.count == 1, !(exists && isDirectory.boolValue) { return url }
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        let name = URL(fileURLWithPath: input).deletingPathExtension().lastPathComponent
        return url.appendingPathComponent(name + ".jpg")
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
