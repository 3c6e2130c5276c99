import Foundation

/// The process's environment with a `.env` file beneath it.
enum EnvironmentFile {
    /// - Returns: Every variable of the process, and those of `.env` in the working directory that the process does not set.
    static func environment(path: String = ".env") -> [String: String] {
        var variables = (try? String(contentsOfFile: path, encoding: .utf8)).map(parse) ?? [:]
        variables.merge(ProcessInfo.processInfo.environment) { _, process in process }
        return variables
    }

    /// Lines of `NAME=value`, optionally after `export`; values may be quoted; `#` starts a comment line.
    static func parse(_ text: String) -> [String: String] {
        var variables: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            var line = line.trimmingCharacters(in: .whitespaces)
            if line.hasPrefix("#") { continue }
            if line.hasPrefix("export ") { line = String(line.dropFirst("export ".count)) }
            guard let equals = line.firstIndex(of: "=") else { continue }
            let name = line[..<equals].trimmingCharacters(in: .whitespaces)
            var value = line[line.index(after: equals)...].trimmingCharacters(in: .whitespaces)
            if let quote = value.first, quote == "\"" || quote == "'", value.count >= 2, value.last == quote {
                value = String(value.dropFirst().dropLast())
            }
            if !name.isEmpty { variables[name] = value }
        }
        return variables
    }
}
