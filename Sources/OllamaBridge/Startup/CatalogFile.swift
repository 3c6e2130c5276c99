import Foundation
import Translate

/// Finds and reads the catalogue of models.
struct CatalogFile: Sendable {
    /// The file read; nil for the built-in catalogue.
    let path: String?
    let catalog: ModelCatalog
    /// RFC 3339.
    let modifiedAt: String

    static let standardPath = "models.json"

    /// No catalogue of models is this large; whatever is, is something else.
    private static let largest = 16 << 20

    /// What is served without any file: the demo, and the four best known models of those providers whose key is set.
    private static let builtIn = """
        {
          "models": {
            "demo": { "provider": "demo", "model": "demo", "vision": true, "tools": true, "thinking": true, "context_length": 131072 },
            "gpt-4o": { "provider": "openai", "model": "gpt-4o", "vision": true, "tools": true, "context_length": 128000 },
            "gpt-4o-mini": { "provider": "openai", "model": "gpt-4o-mini", "vision": true, "tools": true, "context_length": 128000 },
            "gemini-2.5-flash": { "provider": "google", "model": "gemini-2.5-flash", "vision": true, "tools": true, "context_length": 1048576 },
            "gemini-2.5-flash-lite": { "provider": "google", "model": "gemini-2.5-flash-lite", "vision": true, "tools": true, "context_length": 1048576 }
          }
        }
        """

    /// The file that a flag or else the environment names.
    static func name(_ flag: String?, _ environment: [String: String]) -> String? { flag ?? environment["OLLAMA_BRIDGE_MODELS"] }

    /// - Parameter named: The file the user named; nil looks for `models.json` in the working directory.
    /// - Throws: ``StartupError`` with file, entry, key and remedy.
    static func read(named: String?, environment: [String: String]) throws -> CatalogFile {
        let path = named ?? standardPath
        guard named != nil || FileManager.default.fileExists(atPath: path) else {
            return try parse(Array(builtIn.utf8), path: nil, modified: Date(), environment)
        }
        let attributes = try? FileManager.default.attributesOfItem(atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path)
        if let size = attributes?[.size] as? Int, size > largest {
            throw StartupError("\(path) is no catalogue of models: it is larger than \(largest >> 20) MiB.")
        }
        if let type = attributes?[.type] as? FileAttributeType, type != .typeRegular {
            throw StartupError("\(path) is no file; name the catalogue with --models FILE.")
        }
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            let reason = (error as? CocoaError)?.code == .fileReadNoPermission ? "may not be read" : "cannot be read"
            throw StartupError(
                "\(path) \(FileManager.default.fileExists(atPath: path) ? reason : "does not exist"); name the catalogue with --models FILE."
            )
        }
        let modified = (try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date) ?? Date()
        return try parse(Array(data), path: path, modified: modified, environment)
    }

    private static func parse(_ bytes: [UInt8], path: String?, modified: Date, _ environment: [String: String]) throws -> CatalogFile {
        do {
            let catalog = try ModelCatalog.parse(bytes, file: path ?? "built-in models", environment: environment)
            return CatalogFile(path: path, catalog: catalog, modifiedAt: Clock.rfc3339(seconds: Int(modified.timeIntervalSince1970)))
        } catch {
            throw StartupError(error.description)
        }
    }
}
