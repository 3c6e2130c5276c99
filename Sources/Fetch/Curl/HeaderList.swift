import CCurl

/// The header lines of a request, as libcurl takes them.
final class HeaderList {
    let fields: [(name: String, value: String)]
    let lines: StringList

    /// - Throws: `badRequest` for what would break the lines.
    init(_ fields: [(name: String, value: String)]) throws(FetchError) {
        lines = StringList(try Self.text(fields))
        self.fields = fields
    }

    /// Fields that are libcurl's own business.
    private static let owned = ["Content-Length", "Transfer-Encoding", "Host", "Expect"]

    private static func text(_ fields: [(name: String, value: String)]) throws(FetchError) -> [String] {
        // Left to itself, libcurl waits for "100 Continue" before large bodies and calls every body a form.
        var list = ["Expect:"]
        var namesType = false
        for (name, value) in fields {
            guard isToken(name) else { throw .badRequest(detail: "a header's name is not a token") }
            guard value.utf8.allSatisfy({ $0 != 0 && $0 != 0x0a && $0 != 0x0d }) else {
                throw .badRequest(detail: "the value of \(name) holds a line break or NUL")
            }
            if owned.contains(where: { isSameField($0, name) }) { continue }
            if isSameField(name, "Content-Type") { namesType = true }
            let isBlank = value.utf8.allSatisfy { $0 == 0x20 || $0 == 0x09 }
            list.append(isBlank ? name + ";" : name + ": " + value)
        }
        if !namesType { list.append("Content-Type:") }
        return list
    }
}

/// Header lists that were made of late. Request after request goes to the same few upstreams with the same fields, and making the lines
/// costs more than comparing them.
struct HeaderLists {
    private static let most = 8

    private var kept: [HeaderList] = []
    private var next = 0

    /// - Throws: What ``HeaderList/init(_:)`` throws.
    mutating func list(_ fields: [(name: String, value: String)]) throws(FetchError) -> HeaderList {
        if let list = kept.first(where: { $0.fields.elementsEqual(fields, by: ==) }) { return list }
        let list = try HeaderList(fields)
        if kept.count < Self.most {
            kept.append(list)
        } else {
            kept[next] = list
            next = (next + 1) % Self.most
        }
        return list
    }
}

/// RFC 9110 §5.6.2.
func isToken(_ text: String) -> Bool {
    !text.isEmpty
        && text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
            default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
        }
}
