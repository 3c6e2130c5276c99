/// Makes an upstream's words fit for a client and a log.
enum Redaction {
    /// The longest message that is passed on; an upstream may echo the whole request.
    static let longest = 1000
    /// No more is looked at: the time it takes grows with the message.
    private static let mostRead = 4 << 10

    /// Cuts out keys and long data, and shortens.
    ///
    /// - Parameter secrets: Texts that must not appear, whole or in the parts that an upstream shows of them.
    static func clean(_ message: String, secrets: [String]) -> String {
        // Whoever reads a log in a terminal is not to have it painted by an upstream.
        var whole = String(String.UnicodeScalarView(message.unicodeScalars.prefix(mostRead).map { isControl($0) ? "\u{FFFD}" : $0 }))
        for secret in secrets where secret.utf8.count >= 4 { whole.replace(secret, with: "[redacted]") }
        var follows = false
        let words = whole.split { $0.isWhitespace }.map { word -> Substring in
            defer { follows = word == "Bearer" }
            return follows ? "[redacted]" : clean(word: word, secrets: secrets)
        }
        var text = words.joined(separator: " ")
        // `ollama` hides every message with these two words behind a sentence of its own.
        for phrase in ["upstream error", "Upstream error", "Upstream Error"] { text.replace(phrase, with: "model server error") }
        guard text.utf8.count > longest else { return text }
        return String(text.prefix(longest)) + "…"
    }

    private static func clean(word: Substring, secrets: [String]) -> Substring {
        for secret in secrets where holdsPart(of: secret, word) { return "[redacted]" }
        if looksLikeKey(word) { return "[redacted]" }
        guard word.utf8.count > 200 else { return word }
        return "\(word.prefix(32))…<\(word.utf8.count) bytes>"
    }

    /// Whether a word shows a secret's beginning, or its end: behind asterisks as OpenAI writes it, alone, or as much of it as would help to
    /// guess the rest.
    private static func holdsPart(of secret: String, _ word: Substring) -> Bool {
        guard secret.utf8.count >= 8 else { return false }
        if word.contains(secret.prefix(8)) || word.contains(secret.suffix(8)) { return true }
        if word.contains("*") { return word.contains(secret.suffix(4)) }
        let bare = word.drop { !isKeyCharacter($0) }
        let end = bare.prefix(while: isKeyCharacter)
        return end.utf8.count >= 4 && secret.hasSuffix(end)
    }

    private static func isKeyCharacter(_ character: Character) -> Bool { character.isASCII && (character.isLetter || character.isNumber) }

    /// C0 and C1 but for white space; and the halves of flags, rows of which take a time that grows with the square of their number.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        (0x1F1E6...0x1F1FF).contains(scalar.value) || scalar.properties.generalCategory == .control && !scalar.properties.isWhitespace
    }

    private static func looksLikeKey(_ word: Substring) -> Bool {
        for mark in ["sk-", "AIza", "gsk_", "hf_", "key=", "xai-"] {
            guard let range = word.firstRange(of: mark) else { continue }
            let rest = word[range.upperBound...]
            if rest.utf8.count >= 8, rest.utf8.prefix(8).allSatisfy(isKeyByte) { return true }
        }
        return false
    }

    private static func isKeyByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "*"):
            true
        default: false
        }
    }
}
