/// The keys of a `/v1` chat that the bridge itself reads, level by level.
///
/// They are read as Ollama reads them: in any case, and of several the last. An upstream may see it otherwise, so what it gets must have each
/// once and in its own spelling: else a picture could pass by unseen.
enum OpenAIKeys: Sendable {
    case request
    case message
    case part
    case picture

    private var names: [String] {
        switch self {
        case .request: ["model", "messages", "stream"]
        case .message: ["role", "content"]
        case .part: ["type", "image_url"]
        case .picture: ["url", "detail"]
        }
    }

    /// The key whose value has keys of its own, and which.
    private var inner: (name: String, keys: OpenAIKeys)? {
        switch self {
        case .request: ("messages", .message)
        case .message: ("content", .part)
        case .part: ("image_url", .picture)
        case .picture: nil
        }
    }

    /// The same request with each of these keys once.
    ///
    /// - Returns: nil if it has that already.
    static func tidied(_ request: JSONObject) -> JSONObject? {
        OpenAIKeys.request.isTidy(request) ? nil : OpenAIKeys.request.tidied(request)
    }

    private func tidied(_ object: JSONObject) -> JSONObject {
        var members: [JSONObject.Member] = []
        var places: [String: Int] = [:]
        for member in object.members {
            guard let name = name(of: member.key) else {
                members.append(member)
                continue
            }
            let value = name == inner?.name ? tidied(member.value) : member.value
            if let place = places.updateValue(places[name] ?? members.count, forKey: name) {
                members[place].value = value
            } else {
                members.append(JSONObject.Member(key: name, value: value))
            }
        }
        return JSONObject(members)
    }

    private func tidied(_ value: JSONValue) -> JSONValue {
        guard let keys = inner?.keys else { return value }
        switch value {
        case .object(let object): return .object(keys.tidied(object))
        case .array(let values): return .array(values.map { $0.object.map { .object(keys.tidied($0)) } ?? $0 })
        default: return value
        }
    }

    private func isTidy(_ object: JSONObject) -> Bool {
        var met: Set<String> = []
        for member in object.members {
            guard let name = name(of: member.key) else { continue }
            guard name == member.key, met.insert(name).inserted else { return false }
            if name == inner?.name, !isTidyInside(member.value) { return false }
        }
        return true
    }

    private func isTidyInside(_ value: JSONValue) -> Bool {
        guard let keys = inner?.keys else { return true }
        switch value {
        case .object(let object): return keys.isTidy(object)
        case .array(let values): return values.allSatisfy { $0.object.map(keys.isTidy) ?? true }
        default: return true
        }
    }

    /// The one of these names that a key is, in any case.
    private func name(of key: String) -> String? {
        names.first { $0.utf8.count == key.utf8.count && ($0 == key || $0 == key.lowercased()) }
    }
}
