/// Which of Ollama's two answering routes a request came by, and so which fields its lines have.
public enum AnswerShape: Sendable {
    case chat
    case generate
}
