/// The request's tools under names the upstream takes.
struct ToolMapping {
    /// The name to send, by the client's.
    private(set) var sentNames: [String: String] = [:]
    /// The client's name, by the one that is sent; only those that differ.
    private(set) var originalNames: [String: String] = [:]
    /// The `tools` field; nil without tools, because upstreams refuse an empty array.
    private(set) var json: JSONValue?

    init(_ tools: [ToolDefinition]) {
        var entries: [JSONValue] = []
        var used: Set<String> = []
        var nextNumbers: [String: Int] = [:]
        for tool in tools {
            let sent = Self.free(ToolIdentifiers.name(tool.name), &used, &nextNumbers)
            if sentNames[tool.name] == nil { sentNames[tool.name] = sent }
            var entry = tool.json
            if sent != tool.name, var function = entry["function"]?.object, !tool.name.isEmpty {
                function["name"] = .text(sent)
                entry["function"] = .object(function)
                originalNames[sent] = tool.name
            }
            entries.append(.object(entry))
        }
        if !entries.isEmpty { json = .array(entries) }
    }

    /// The name itself, or with a number where cleaning made two the same.
    ///
    /// - Parameter nextNumbers: By what stays of a name, so that thousands with the same do not all count from the beginning.
    private static func free(_ name: String, _ used: inout Set<String>, _ nextNumbers: inout [String: Int]) -> String {
        if used.insert(name).inserted { return name }
        let stem = String(name.prefix(60))
        var number = nextNumbers[stem] ?? 2
        while !used.insert("\(stem)_\(number)").inserted { number += 1 }
        nextNumbers[stem] = number + 1
        return "\(stem)_\(number)"
    }
}
