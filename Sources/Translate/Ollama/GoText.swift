/// Text as Go prints it, because Ollama's error texts are Go's.
enum GoText {
    /// Of a longer one no more is repeated than this; Go repeats all.
    private static let longest = 1000

    /// As `%q` prints a string.
    static func quoted(_ text: String) -> String {
        var output = "\""
        for scalar in text.unicodeScalars.prefix(longest) {
            switch scalar {
            case "\"": output += "\\\""
            case "\\": output += "\\\\"
            case "\n": output += "\\n"
            case "\r": output += "\\r"
            case "\t": output += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                output += "\\x" + (scalar.value < 0x10 ? "0" : "") + String(scalar.value, radix: 16)
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output + "\""
    }
}
