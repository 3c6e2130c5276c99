extension Provider {
    static let keys = ["base_url", "base_url_env", "api_key", "api_key_env", "api_key_header", "headers", "dialect", "images"]

    /// A known provider, with what its entry overrides, or one the file defines.
    ///
    /// - Parameter entry: Its object in the file; nil if it has none.
    static func read(
        _ name: String, entry: CatalogReader?, general: ImagePatch, environment: [String: String], fallback: CatalogReader
    ) throws(CatalogError) -> Provider {
        let known = KnownProvider.named(name)
        try entry?.allowOnly(keys)
        var dialect = known.flatMap { Dialect.preset($0.dialect) } ?? .generic
        try dialect.apply(entry, key: "dialect")
        var images = general.applyGenerally(to: ImageSettings.preset(dialect: name == "demo" ? name : dialect.name))
        try ImagePatch.read(entry?.reader("images")).apply(to: &images)
        return Provider(
            name: name, baseURL: try baseURL(known, entry, environment, name: name, fallback: fallback),
            key: try key(known, entry, environment, name: name, fallback: fallback), headers: try headers(entry), dialect: dialect,
            images: images)
    }

    /// What the entry says comes first, then the environment, then what is known.
    private static func baseURL(
        _ known: KnownProvider?, _ entry: CatalogReader?, _ environment: [String: String], name: String, fallback: CatalogReader
    ) throws(CatalogError) -> String {
        let reader = entry ?? fallback
        if let text = try entry?.string("base_url") { return try checked(text, reader, key: "base_url") }
        let named = try entry?.string("base_url_env")
        for variable in named.map({ [$0] }) ?? known?.baseURLVariables ?? [] {
            guard let text = environment[variable], !text.isEmpty else { continue }
            return try checked(text, reader, key: "base_url_env", from: variable)
        }
        if let url = known?.baseURL { return url }
        let variable = named ?? known?.baseURLVariables.first
        throw reader.error(
            entry == nil ? nil : "base_url", "provider \"\(name)\" has no base URL",
            variable.map { "set \($0) or add \"base_url\" to its entry" }
                ?? "add \"base_url\", as in \"http://10.0.0.5:8000/v1\"")
    }

    private static func checked(
        _ text: String, _ reader: CatalogReader, key: String, from variable: String? = nil
    ) throws(CatalogError) -> String {
        var url = text
        for suffix in ["/", "/chat/completions", "/"] where url.hasSuffix(suffix) { url.removeLast(suffix.count) }
        let lower = url.lowercased()
        let rest = lower.hasPrefix("https://") ? url.dropFirst(8) : lower.hasPrefix("http://") ? url.dropFirst(7) : ""
        let host = rest.prefix { $0 != "/" }
        let isPlain = url.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") }
        guard !host.isEmpty, isPlain, !url.contains("?"), !url.contains("#"), !host.contains("@") else {
            throw reader.error(
                variable == nil ? key : nil,
                "\(variable.map { "\($0) is" } ?? "is") no usable URL\(text.contains("@") || text.contains("?") ? "" : ": \"\(text)\"")",
                "use http:// or https:// with a host, as in \"https://api.openai.com/v1\", without user name or query")
        }
        return url
    }

    private static func headers(_ entry: CatalogReader?) throws(CatalogError) -> [Header] {
        guard let reader = try entry?.reader("headers") else { return [] }
        var headers: [Header] = []
        for member in reader.object.members {
            guard let value = member.value.string else { throw reader.wrongType(member.key, member.value, "a string") }
            let isToken = !member.key.isEmpty && member.key.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
            guard isToken, value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
                throw reader.error(member.key, "is no valid header", "use a plain name and a value without line breaks")
            }
            headers.append(Header(name: member.key, value: Secret(value)))
        }
        return headers
    }

    private static func key(
        _ known: KnownProvider?, _ entry: CatalogReader?, _ environment: [String: String], name: String, fallback: CatalogReader
    ) throws(CatalogError) -> Key {
        let reader = entry ?? fallback
        var key = Key(header: known?.keyHeader)
        if let header = try entry?.string("api_key_header") { key.header = header.lowercased() == "authorization" ? nil : header }
        if let text = try entry?.string("api_key"), !text.isEmpty {
            key.secret = try usable(Secret(text), of: name, reader, key: "api_key")
            return key
        }
        let named = try entry?.string("api_key_env")
        if let named, !named.utf8.allSatisfy(isNameByte) {
            throw reader.error(
                "api_key_env", "is no name of a variable", "write the variable's name there, or the key itself under \"api_key\"")
        }
        let variables = named.map { [$0] } ?? known?.keyVariables ?? []
        key.secret = variables.lazy.compactMap { environment[$0]?.trimmingBlanks() }.first { !$0.isEmpty }.map { Secret($0) }
        if let secret = key.secret { key.secret = try usable(secret, of: name, reader, key: nil) }
        if key.secret == nil, named != nil || known?.needsKey == true { key.missingVariable = variables.first }
        return key
    }
}

extension Provider {
    /// A key that can go in a header.
    private static func usable(_ key: Secret, of name: String, _ reader: CatalogReader, key place: String?) throws(CatalogError) -> Secret {
        guard key.value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw reader.error(
                place, "the key of provider \"\(name)\" holds a blank, a line break or another sign that no key has", "copy it anew, alone")
        }
        return key
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || byte == UInt8(ascii: "_")
    }
}

extension String {
    /// Without white space and line breaks at either end, as keys from files often carry.
    fileprivate func trimmingBlanks() -> String {
        let start = drop { $0.isWhitespace }
        return String(start.reversed().drop { $0.isWhitespace }.reversed())
    }
}
