import Images
import Translate

/// What the demo model has to say: facts about what arrived.
struct DemoModel {
    struct Picture {
        var format: String
        var width: Int
        var height: Int
        var bytes: Int
        var meanColour: String?
    }

    struct Answer {
        var thinking: String?
        var text: String
        var toolCalls: [(name: String, arguments: [UInt8])] = []
    }

    static let name = "demo"

    /// - Parameter body: An OpenAI chat completion request.
    static func answer(to body: JSONObject) -> Answer {
        let messages = body["messages"]?.array?.compactMap(\.object) ?? []
        let last = messages.last
        if last?["role"]?.string == "tool" {
            return Answer(text: "The tool answered: \(text(of: last?["content"])). That is all the demo model makes of it.")
        }
        let question = messages.last { $0["role"]?.string == "user" }
        let words = text(of: question?["content"])
        if let call = toolCall(body["tools"]?.array ?? [], asked: words) { return Answer(text: "", toolCalls: [call]) }
        if let structured = structured(body["response_format"]?.object) { return Answer(text: structured) }
        let pictures = messages.flatMap { self.pictures(in: $0["content"]) }
        var sentences = [
            "This is OllamaBridge's built-in demo model: it understands nothing, but it can say what arrived.",
            pictures.isEmpty
                ? "No image came with the request."
                : "\(pictures.count) image\(pictures.count == 1 ? "" : "s") arrived: \(pictures.map(describe).joined(separator: "; ")).",
            words.isEmpty ? "There was no text." : "The text was: \"\(String(words.prefix(500)))\".",
        ]
        let options = options(in: body)
        if !options.isEmpty { sentences.append("Options: \(options.joined(separator: ", ")).") }
        let tools = (body["tools"]?.array ?? []).compactMap { $0.object?["function"]?.object?["name"]?.string }
        if !tools.isEmpty { sentences.append("Tools on offer: \(tools.joined(separator: ", ")).") }
        if messages.count > 1 { sentences.append("The conversation has \(messages.count) messages.") }
        let thinks = body["reasoning_effort"]?.string.map { $0 != "none" } ?? false
        return Answer(
            thinking: thinks ? "Counting what arrived: \(messages.count) messages, \(pictures.count) images." : nil,
            text: sentences.joined(separator: " "))
    }

    private static func describe(_ picture: Picture) -> String {
        let colour = picture.meanColour.map { ", mean colour \($0)" } ?? ""
        return "\(picture.format), \(picture.width) × \(picture.height) pixels, \(picture.bytes) bytes\(colour)"
    }

    private static func text(of content: JSONValue?) -> String {
        if let text = content?.string { return text }
        return (content?.array ?? []).compactMap { $0.object?["text"]?.string }.joined(separator: "\n")
    }

    private static func pictures(in content: JSONValue?) -> [Picture] {
        (content?.array ?? []).compactMap { part in
            guard case .string(let url)? = part.object?["image_url"]?.object?["url"] else { return nil }
            return picture(in: url.utf8)
        }
    }

    private static func picture(in url: ArraySlice<UInt8>) -> Picture {
        guard let comma = url.firstIndex(of: UInt8(ascii: ",")), let bytes = Base64.decodeLenient(url[(comma + 1)...])?.bytes else {
            return Picture(format: "not a data URL", width: 0, height: 0, bytes: url.count)
        }
        guard let header = try? ImageHeader.read(bytes) else {
            return Picture(format: "not an image", width: 0, height: 0, bytes: bytes.count)
        }
        return Picture(
            format: header.format.rawValue.uppercased(), width: header.width, height: header.height, bytes: bytes.count,
            meanColour: (try? MeanColour(ofJPEG: bytes))?.description)
    }

    private static func options(in body: JSONObject) -> [String] {
        let structural: Set<String> = ["model", "messages", "stream", "stream_options", "tools"]
        return body.members.filter { !structural.contains($0.key) }.map { member in
            "\(member.key) \(String(decoding: JSONWriter.bytes(member.value), as: UTF8.self))"
        }
    }

    /// Calls the first tool whose name the question mentions (with `_` read as a space), filling its arguments by type.
    private static func toolCall(_ tools: [JSONValue], asked words: String) -> (name: String, arguments: [UInt8])? {
        let asked = words.lowercased()
        for tool in tools {
            guard let function = tool.object?["function"]?.object, let name = function["name"]?.string else { continue }
            let spoken = name.lowercased().replacing("_", with: " ")
            guard asked.contains(name.lowercased()) || asked.contains(spoken) || asked.contains("tool") else { continue }
            let sample: JSONValue = function["parameters"].map { self.sample(of: $0, word: words) } ?? [:]
            return (name, JSONWriter.bytes(sample))
        }
        return nil
    }

    private static func structured(_ format: JSONObject?) -> String? {
        switch format?["type"]?.string {
        case "json_object": return #"{"model":"demo"}"#
        case "json_schema":
            guard let schema = format?["json_schema"]?.object?["schema"] else { return "{}" }
            return String(decoding: JSONWriter.bytes(sample(of: schema, word: "demo")), as: UTF8.self)
        default: return nil
        }
    }

    /// The plainest value a JSON Schema allows.
    static func sample(of schema: JSONValue, word: String, depth: Int = 0) -> JSONValue {
        guard let object = schema.object, depth < 16 else { return [:] }
        if let choice = object["enum"]?.array?.first { return choice }
        if let constant = object["const"] { return constant }
        let type = object["type"]?.string ?? object["type"]?.array?.first?.string
        switch type {
        case "string": return .text(word.isEmpty ? "demo" : String(word.prefix(80)))
        case "integer", "number": return object["minimum"] ?? 1
        case "boolean": return true
        case "array": return .array(object["items"].map { [sample(of: $0, word: word, depth: depth + 1)] } ?? [])
        case "null": return .null
        default:
            let members = object["properties"]?.object?.members ?? []
            return .object(
                JSONObject(members.map { JSONObject.Member(key: $0.key, value: sample(of: $0.value, word: word, depth: depth + 1)) }))
        }
    }
}
