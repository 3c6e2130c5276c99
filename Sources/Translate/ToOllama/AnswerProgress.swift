/// How far an answer is.
public enum AnswerProgress: Sendable {
    case underWay
    /// The upstream has named a finish reason: if it then falls silent for some seconds without closing, call `finish`.
    case awaitsOnlyTheEnd
    /// Nothing more needs to be read.
    case complete
}
