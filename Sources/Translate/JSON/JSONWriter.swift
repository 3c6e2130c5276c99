/// Appends JSON to bytes. Escapes only what JSON demands.
public enum JSONWriter {
    public static func bytes(_ value: JSONValue) -> [UInt8] {
        var output: [UInt8] = []
        append(value, to: &output)
        return output
    }

    public static func append(_ value: JSONValue, to output: inout [UInt8]) {
        switch value {
        case .null: output.append(text: "null")
        case .bool(let value): output.append(text: value ? "true" : "false")
        case .number(let number): output.append(contentsOf: number.text.utf8)
        case .string(let text): append(quoting: text.utf8, to: &output)
        case .array(let values):
            output.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                append(value, to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let object):
            output.append(UInt8(ascii: "{"))
            for (index, member) in object.members.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                append(quoting: member.key, to: &output)
                output.append(UInt8(ascii: ":"))
                append(member.value, to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    /// Appends a string with its quotes.
    public static func append(quoting string: String, to output: inout [UInt8]) {
        append(quoting: string.utf8.span, to: &output)
    }

    /// Appends UTF-8 text with quotes around it.
    public static func append(quoting utf8: ArraySlice<UInt8>, to output: inout [UInt8]) {
        append(quoting: utf8.span, to: &output)
    }

    /// Appends UTF-8 text as the inside of a string, without the quotes around it.
    public static func append(escaping utf8: ArraySlice<UInt8>, to output: inout [UInt8]) {
        append(escaping: utf8.span, to: &output)
    }

    private static func append(quoting utf8: Span<UInt8>, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        append(escaping: utf8, to: &output)
        output.append(UInt8(ascii: "\""))
    }

    private static func append(escaping utf8: Span<UInt8>, to output: inout [UInt8]) {
        var start = 0
        while true {
            let end = JSONScan.plainRun(utf8, from: start).end
            output.append(copying: utf8.extracting(start..<end))
            guard end < utf8.count else { return }
            append(escape: utf8[end], to: &output)
            start = end + 1
        }
    }

    private static func append(escape byte: UInt8, to output: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""): output.append(text: #"\""#)
        case UInt8(ascii: "\\"): output.append(text: #"\\"#)
        case 0x0A: output.append(text: #"\n"#)
        case 0x0D: output.append(text: #"\r"#)
        case 0x09: output.append(text: #"\t"#)
        default:
            output.append(text: byte < 0x10 ? #"\u000"# : #"\u00"#)
            output.append(contentsOf: String(byte, radix: 16).utf8)
        }
    }
}
