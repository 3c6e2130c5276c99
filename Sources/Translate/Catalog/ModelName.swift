/// Ollama's model names: `[host/][namespace/]model[:tag]`, each part at most 80 characters.
public enum ModelName {
    /// No name of a model is longer, in bytes.
    static let longest = 1024

    /// Whether Ollama would take the name at all.
    public static func isWellFormed(_ name: String) -> Bool {
        guard name.utf8.count <= longest else { return false }
        let (path, tag) = split(name)
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...3).contains(parts.count) else { return false }
        if let tag, !isPart(tag) { return false }
        return parts.enumerated().allSatisfy { index, part in isPart(part, isHost: parts.count == 3 && index == 0) }
    }

    /// Whether a name may go to an upstream unlisted, through a wildcard: upstreams' grammars are wider than Ollama's.
    static func isPlausible(_ name: String) -> Bool {
        name.utf8.count <= 200 && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } && !name.hasSuffix("/") && !name.hasPrefix("/")
    }

    /// The name with its tag, `latest` where there is none: how lists show it.
    public static func tagged(_ name: String) -> String { split(name).tag == nil ? name + ":latest" : name }

    /// The name without `:latest`, in any case of it.
    public static func untagged(_ name: String) -> String {
        name.lowercased().hasSuffix(":latest") ? String(name.dropLast(7)) : name
    }

    /// Ollama's canonical short form, which `show` names in its 404.
    public static func canonical(_ name: String) -> String {
        let name = tagged(name)
        return withoutRegistry(name) ?? name
    }

    /// As Ollama writes a name out in full: `registry.ollama.ai/library/x:latest`.
    static func registryName(_ name: String) -> String {
        let full = tagged(name)
        switch split(full).path.count(where: { $0 == "/" }) {
        case 0: return "registry.ollama.ai/library/\(full)"
        case 1: return "registry.ollama.ai/\(full)"
        default: return full
        }
    }

    /// A name as Ollama shows it, where it is written out with the registry or the namespace that are left out there; nil for all others.
    static func withoutRegistry(_ name: String) -> String? {
        ["registry.ollama.ai/library/", "registry.ollama.ai/", "library/"].first { name.lowercased().hasPrefix($0) }
            .map { String(name.dropFirst($0.count)) }
    }

    /// Names ending in `cloud` are taken for remote ones by Ollama's clients, which then want to sign in.
    static func looksRemote(_ name: String) -> Bool { untagged(name).lowercased().hasSuffix("cloud") }

    /// Where a name's last part asks the model to run: `:local` here, `:cloud` or a tag ending in `-cloud` at Ollama's service.
    enum Source: Equatable { case local, cloud }

    /// Splits off what asks for a source, in any case.
    ///
    /// - Returns: The name without it; the source is nil, and the name whole, if it asks for none.
    static func splitSource(_ name: String) -> (base: String, source: Source?) {
        guard let colon = name.utf8.lastIndex(of: UInt8(ascii: ":")) else { return (name, nil) }
        let tag = name[name.index(after: colon)...]
        switch tag.lowercased() {
        case "local": return (String(name[..<colon]), .local)
        case "cloud": return (String(name[..<colon]), .cloud)
        case let tag where tag.hasSuffix("-cloud") && !tag.contains("/"): return (String(name.dropLast("-cloud".count)), .cloud)
        default: return (name, nil)
        }
    }

    /// A name that Ollama's clients take, for an upstream id that is none: its last two parts, with `-` for what is not allowed.
    static func listable(_ id: String) -> String {
        if isWellFormed(id) { return id }
        let (path, tag) = split(id)
        let parts = path.split(separator: "/").suffix(2).map(cleaned)
        let name = parts.isEmpty ? "model" : parts.joined(separator: "/")
        return tag.map { name + ":" + cleaned($0) } ?? name
    }

    private static func cleaned(_ part: Substring) -> String {
        var text = String(part.unicodeScalars.map { isAllowed($0) ? Character($0) : "-" }.prefix(80))
        if let first = text.unicodeScalars.first, first == "-" || first == "." { text = "m" + text.dropFirst() }
        return text.isEmpty ? "model" : text
    }

    /// Splits off the tag: a colon counts only behind the last slash.
    private static func split(_ name: String) -> (path: Substring, tag: Substring?) {
        guard let colon = name.utf8.lastIndex(of: UInt8(ascii: ":")) else { return (name[...], nil) }
        let behind = name[name.index(after: colon)...]
        return behind.contains("/") ? (name[...], nil) : (name[..<colon], behind)
    }

    private static func isPart(_ part: Substring, isHost: Bool = false) -> Bool {
        guard (1...80).contains(part.utf8.count), let first = part.unicodeScalars.first, first != "-", first != "." else { return false }
        return part.unicodeScalars.allSatisfy { isAllowed($0) || (isHost && $0 == ":") }
    }

    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".": true
        default: false
        }
    }
}
