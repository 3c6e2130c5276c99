/// Which of Ollama's two answer shapes a request asks for.
public enum AnswerShape: Sendable, Equatable {
    /// `/api/chat`: text under `message.content`.
    case chat
    /// `/api/generate`: text under `response`.
    case generate
}
