import Translate

/// What a well-known client asks of a server before it chats, and what it cannot do without in the answers.
struct ClientProbe: Sendable {
    let client: String
    let needs: [Need]

    /// One thing a client needs; `check` answers nil when it is there, else what is missing.
    struct Need: Sendable {
        let check: @Sendable (ProbeAnswers) -> String?
    }

    /// - Returns: What this client would stumble over; empty when it will work.
    func problems(_ answers: ProbeAnswers) -> [String] { needs.compactMap { $0.check(answers) } }

    static let all: [ClientProbe] = [
        ClientProbe(
            client: "ollama (command line)",
            needs: [.text("/", "Ollama is running"), .tag("digest", isDigest), .show("model_info", isObject)]),
        ClientProbe(
            client: "VS Code",
            needs: [.version(atLeast: [0, 6, 4]), .tag("model", isText), .show("capabilities", isArray), .contextLength]),
        ClientProbe(
            client: "Zed",
            needs: ["format", "family", "parameter_size", "quantization_level"].map { .tag("details.\($0)", isString) } + [
                .tag("modified_at", isText), .tag("size", isInteger), .show("capabilities", isArray),
            ]),
        ClientProbe(client: "JetBrains AI Assistant", needs: [.text("/", "Ollama is running"), .tag("name", isTagged)]),
        ClientProbe(client: "Open WebUI", needs: [.version(atLeast: [0, 0, 0]), .tag("name", isTagged), .list("/api/ps", "models")]),
        ClientProbe(
            client: "Enchanted",
            needs: ["license", "template", "modelfile", "parameters"].map { .show($0, isString) } + [.tag("details.parent_model", isString)]
        ),
        ClientProbe(client: "Home Assistant", needs: [.tag("model", isText), .quick("/api/tags", milliseconds: 5000)]),
        ClientProbe(
            client: "Raycast", needs: [.quick("/api/version", milliseconds: 1800), .quick("/api/tags", milliseconds: 1800)]),
        ClientProbe(client: "Continue", needs: [.show("parameters", isString), .show("template", isString)]),
        ClientProbe(client: "Roo Code", needs: [.tag("details.family", isText), .contextLength, .show("capabilities", hasTools)]),
        ClientProbe(client: "OpenAI-compatible settings", needs: [.list("/v1/models", "data")]),
    ]

    private static let isText: @Sendable (JSONValue) -> Bool = { $0.string.map { !$0.isEmpty } ?? false }
    private static let isString: @Sendable (JSONValue) -> Bool = { $0.string != nil }
    private static let isTagged: @Sendable (JSONValue) -> Bool = { $0.string?.contains(":") ?? false }
    private static let isInteger: @Sendable (JSONValue) -> Bool = { $0.number?.integer != nil }
    private static let isArray: @Sendable (JSONValue) -> Bool = { $0.array != nil }
    private static let isObject: @Sendable (JSONValue) -> Bool = { $0.object != nil }
    private static let hasTools: @Sendable (JSONValue) -> Bool = { $0.array?.contains("tools") ?? false }
    private static let isDigest: @Sendable (JSONValue) -> Bool = { value in
        value.string.map { $0.utf8.count == 64 && $0.allSatisfy(\.isHexDigit) && $0 == $0.lowercased() } ?? false
    }
}

extension ClientProbe.Need {
    /// The route's body is exactly this text.
    static func text(_ path: String, _ wanted: String) -> Self {
        Self { $0.text[path] == wanted ? nil : "GET \(path) does not say \"\(wanted)\"" }
    }

    /// The first listed model has this field.
    static func tag(_ field: String, _ isFit: @escaping @Sendable (JSONValue) -> Bool) -> Self {
        Self { answers in
            guard let model = answers.json["/api/tags"]?.value("models")?.array?.first else { return "/api/tags lists no model" }
            return model.value(field).map(isFit) == true ? nil : "/api/tags: \(field) is missing or of another kind"
        }
    }

    /// `/api/show` of the first listed model has this field.
    static func show(_ field: String, _ isFit: @escaping @Sendable (JSONValue) -> Bool) -> Self {
        Self { answers in
            answers.json["/api/show"]?.value(field).map(isFit) == true ? nil : "/api/show: \(field) is missing or of another kind"
        }
    }

    /// `general.architecture` names the prefix of exactly one `context_length`.
    static let contextLength = Self { answers in
        guard let info = answers.json["/api/show"]?.value("model_info")?.object else { return "/api/show has no model_info" }
        let lengths = info.members.filter { $0.key.contains("context_length") }
        let architecture = info["general.architecture"]?.string ?? ""
        return lengths.count == 1 && lengths[0].key == architecture + ".context_length" && lengths[0].value.number?.integer != nil
            ? nil : "/api/show: model_info does not have exactly one context_length under its architecture"
    }

    static func list(_ path: String, _ field: String) -> Self {
        Self { $0.json[path]?.value(field)?.array != nil ? nil : "GET \(path): \(field) is no array" }
    }

    static func quick(_ path: String, milliseconds: Int64) -> Self {
        Self { answers in
            guard let taken = answers.milliseconds[path] else { return "GET \(path) did not answer" }
            return taken <= milliseconds ? nil : "GET \(path) took \(taken) ms; this client waits \(milliseconds)"
        }
    }

    static func version(atLeast wanted: [Int]) -> Self {
        Self { answers in
            let version = answers.json["/api/version"]?.value("version")?.string ?? ""
            let parts = version.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
            guard parts.count == 3, !parts.contains(nil) else { return "/api/version says \"\(version)\", which is no x.y.z" }
            return parts.compactMap { $0 }.lexicographicallyPrecedes(wanted) ? "/api/version says \(version), which is too old for it" : nil
        }
    }
}

extension JSONValue {
    /// The value at a path of keys joined by dots.
    fileprivate func value(_ path: String) -> JSONValue? {
        path.split(separator: ".").reduce(self as JSONValue?) { $0?.object?[String($1)] }
    }
}
