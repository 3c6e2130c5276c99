/// A message on its way to the upstream: what is left when pictures are JPEG or text, and before it is bytes.
struct Turn: Equatable {
    var role: Message.Role
    var text: JSONText
    /// Whether the client itself wrote text; notices in the place of pictures do not count.
    var hasOwnText: Bool
    var pictures: [Picture] = []
    var thinking: JSONText?
    var reasoningDetails: [JSONValue] = []
    var calls: [Call] = []
    /// On a tool result: as the client named it, later the id that is sent.
    var callID: String?
    var toolName: String?

    struct Picture: Equatable {
        var base64: [ArraySlice<UInt8>]
        var detail: String?
    }

    struct Call: Equatable {
        /// What is sent.
        var id: String
        /// What the client called it; results refer to it.
        var clientID: String?
        var name: String
        var arguments: JSONValue
        var extraContent: JSONValue?
    }

    init(role: Message.Role, text: JSONText = "") {
        self.role = role
        self.text = text
        hasOwnText = !text.isEmpty
    }

    /// Adds text below what is there, with a blank line between.
    mutating func append(_ more: JSONText) {
        if more.isEmpty { return }
        if text.isEmpty {
            text = more
        } else {
            text += "\n\n"
            text += more
        }
    }

    /// Takes in another turn behind what is there.
    mutating func append(_ more: Turn) {
        append(more.text)
        hasOwnText = hasOwnText || more.hasOwnText
        pictures += more.pictures
        calls += more.calls
        thinking = thinking ?? more.thinking
        reasoningDetails += more.reasoningDetails
    }
}

extension Turn {
    /// The request's messages with their pictures' outcomes in place.
    static func list(_ request: InferenceRequest, images: [[ImageOutcome]], stripsThinkTags: Bool) -> [Turn] {
        let lastUser = request.messages.indices.last { request.messages[$0].role == .user } ?? 0
        return request.messages.indices.map { index in
            let message = request.messages[index]
            var turn = Turn(role: message.role, text: message.content)
            turn.thinking = message.thinking
            turn.reasoningDetails = message.reasoningDetails
            turn.callID = message.toolCallID
            turn.toolName = message.toolName
            if stripsThinkTags, message.role == .assistant, index < lastUser { turn.moveThinkTags() }
            turn.calls = message.toolCalls.map {
                Call(id: "", clientID: $0.id, name: $0.name, arguments: $0.arguments, extraContent: $0.extraContent)
            }
            let outcomes = index < images.count ? images[index] : []
            turn.take(outcomes, of: message.images.count)
            return turn
        }
    }

    /// Pictures stay in order; a picture nobody decided about is said to be missing, never dropped.
    private mutating func take(_ outcomes: [ImageOutcome], of count: Int) {
        guard count > 0 else { return }
        var notices: [String] = []
        for index in 0..<count {
            switch index < outcomes.count ? outcomes[index] : .notice(ImageFault.broken(reason: nil).notice) {
            case .jpeg(let base64, let detail): pictures.append(Picture(base64: base64, detail: detail))
            case .notice(let text): notices.append(text)
            }
        }
        append(JSONText(notices.joined(separator: "\n")))
    }

    /// Old clients keep `<think>…</think>` in the text they send back. Ollama cuts it out of turns before the last user message.
    private mutating func moveThinkTags() {
        let open = Array("<think>".utf8)
        let close = Array("</think>".utf8)
        let body = text.utf8.drop { $0 <= 0x20 }
        guard body.starts(with: open), let end = Self.firstRange(of: close, in: body.dropFirst(open.count)) else { return }
        if thinking == nil {
            let inner = body[(body.startIndex + open.count)..<end]
            thinking = inner.allSatisfy { $0 <= 0x20 } ? nil : JSONText(utf8: inner)
        }
        text = JSONText(utf8: body[(end + close.count)...].drop { $0 <= 0x20 })
        hasOwnText = !text.isEmpty
    }

    private static func firstRange(of word: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.count >= word.count else { return nil }
        return (bytes.startIndex...bytes.endIndex - word.count).first { bytes[$0] == word[0] && bytes[$0...].starts(with: word) }
    }
}
