/// One entry of `tools`.
public struct ToolDefinition: Sendable, Equatable {
    public var name: String
    /// The whole entry in the upstream's shape: `type`, `function` with `parameters`; unknown keys kept.
    public var json: JSONObject
}

extension ToolDefinition {
    /// Reads one entry and fills in what upstreams insist on: the type, and parameters that are an object schema.
    static func decode(_ json: JSONValue) throws(OllamaFailure) -> ToolDefinition {
        guard var entry = json.object else {
            throw .badRequest("json: cannot unmarshal \(json.kind) into Go struct field ChatRequest.tools of type api.Tool")
        }
        let fields = FieldReader(entry, struct: "Tool", path: "tools.")
        var function = try fields.object("function", of: "api.ToolFunction") ?? JSONObject()
        let name = try FieldReader(function, struct: "ToolFunction", path: "tools.function.").string("name") ?? ""
        function = JSONObject(function.members.filter { $0.value != .null })
        function["parameters"] = parameters(function["parameters"])
        entry = JSONObject(entry.members.filter { $0.value != .null })
        if (entry["type"]?.string ?? "").isEmpty { entry["type"] = "function" }
        entry["function"] = .object(function)
        return ToolDefinition(name: name, json: entry)
    }

    /// A schema without keywords that are null: some clients write one where they have nothing, and upstreams read that as a broken schema.
    private static func withoutNulls(_ schema: JSONValue) -> JSONValue {
        switch schema {
        case .object(let object): .object(JSONObject(object.members.compactMap(withoutNulls)))
        case .array(let values): .array(values.map(withoutNulls))
        default: schema
        }
    }

    private static func withoutNulls(_ member: JSONObject.Member) -> JSONObject.Member? {
        // In these null is a value like others.
        if ["default", "const", "example"].contains(member.key) { return member }
        if member.value == .null { return nil }
        if ["enum", "examples"].contains(member.key) { return member }
        return JSONObject.Member(key: member.key, value: withoutNulls(member.value))
    }

    private static func parameters(_ value: JSONValue?) -> JSONValue {
        guard let value, case .object(var schema) = withoutNulls(value) else { return ["type": "object", "properties": [:]] }
        if schema["type"] == nil { schema["type"] = "object" }
        if schema["properties"] == nil, schema["type"] == "object" { schema["properties"] = [:] }
        return .object(schema)
    }
}
