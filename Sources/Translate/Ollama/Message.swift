/// One message of a chat, after lenient decoding.
public struct Message: Sendable, Equatable {
    public var role: Role
    /// "" when absent or null.
    public var content: JSONText
    /// An assistant's earlier reasoning, if the client sent it back.
    public var thinking: JSONText?
    public var images: [ImageSource]
    public var toolCalls: [ToolCall]
    /// On role `tool`: the function that was called.
    public var toolName: String?
    /// On role `tool`: the call that is answered.
    public var toolCallID: String?
    /// On an assistant's message: what its provider wants back with it, from our memory.
    public var reasoningDetails: [JSONValue] = []

    /// Who speaks. An unknown role counts as the user, which Ollama does not validate either.
    public enum Role: String, Sendable {
        case system, developer, user, assistant, tool
    }

    public init(
        role: Role, content: JSONText = "", thinking: JSONText? = nil, images: [ImageSource] = [], toolCalls: [ToolCall] = [],
        toolName: String? = nil, toolCallID: String? = nil
    ) {
        self.role = role
        self.content = content
        self.thinking = thinking
        self.images = images
        self.toolCalls = toolCalls
        self.toolName = toolName
        self.toolCallID = toolCallID
    }
}

/// A function call an assistant made in an earlier turn.
public struct ToolCall: Sendable, Equatable {
    public var id: String?
    public var name: String
    /// An object, unless the client sent something that cannot be read as one.
    public var arguments: JSONValue
    /// What a provider wants back with the call, such as Gemini's thought signature.
    public var extraContent: JSONValue?

    public init(id: String? = nil, name: String, arguments: JSONValue, extraContent: JSONValue? = nil) {
        self.id = id
        self.name = name
        self.arguments = arguments
        self.extraContent = extraContent
    }
}
