import Foundation

/// The process's environment with a `.env` file beneath it.
enum EnvironmentFile {
    /// - Returns: Every variable of the process, and those of `.env` in the working directory that the process does not set.
    static func environment(
        path: String = ".env", process: [String: String] = ProcessInfo.processInfo.environment
    ) -> [String: String] {
        var variables = file(path)
        // Both say the port, and what the process says wins.
        if let host = process["OLLAMA_HOST"], ListenAddress.Parts(ollamaHost: host).port != nil { variables["PORT"] = nil }
        variables.merge(process) { _, process in process }
        // As Ollama reads its own.
        for (name, value) in variables where name.hasPrefix("OLLAMA_") {
            let bare = value.trimmingCharacters(in: CharacterSet(charactersIn: " \t\r\n\"'"))
            variables[name] = bare.isEmpty ? nil : bare
        }
        return variables
    }

    private static func file(_ path: String) -> [String: String] {
        guard FileManager.default.fileExists(atPath: path) else { return [:] }
        guard let bytes = FileManager.default.contents(atPath: path) else {
            try? FileHandle.standardError.write(contentsOf: Data("ollama-bridge: \(path) may not be read, so nothing in it counts.\n".utf8))
            return [:]
        }
        return parse(String(decoding: bytes, as: UTF8.self))
    }

    /// Lines of `NAME=value`, optionally after `export`; values may be quoted; `#` begins a comment, where it stands first or behind a blank.
    static func parse(_ text: String) -> [String: String] {
        var variables: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            var line = line.trimmingCharacters(in: .whitespaces)
            if line.hasPrefix("#") { continue }
            if line.hasPrefix("export ") { line = String(line.dropFirst("export ".count)) }
            guard let equals = line.firstIndex(of: "=") else { continue }
            let name = line[..<equals].trimmingCharacters(in: .whitespaces)
            if !name.isEmpty { variables[name] = value(line[line.index(after: equals)...].drop { $0 == " " || $0 == "\t" }) }
        }
        return variables
    }

    private static func value(_ text: Substring) -> String {
        if let quote = text.first, quote == "\"" || quote == "'", let end = text.dropFirst().lastIndex(of: quote) {
            let behind = text[text.index(after: end)...].trimmingCharacters(in: .whitespaces)
            if behind.isEmpty || behind.hasPrefix("#") { return String(text[text.index(after: text.startIndex)..<end]) }
        }
        let comment = [" #", "\t#"].compactMap { text.firstRange(of: $0)?.lowerBound }.min()
        let value = text.hasPrefix("#") ? "" : text[..<(comment ?? text.endIndex)]
        return value.trimmingCharacters(in: .whitespaces)
    }
}
