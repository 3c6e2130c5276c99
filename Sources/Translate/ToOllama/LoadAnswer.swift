/// The one object that answers a load or unload request; no upstream is asked.
public enum LoadAnswer {
    /// Which of the two was asked for.
    public enum Reason: String, Sendable {
        case load
        case unload
    }

    /// The response's body.
    ///
    /// - Parameters:
    ///   - reason: `done_reason`.
    ///   - shape: The route that is answered.
    ///   - model: The model's name as the client wrote it.
    ///   - moment: For `created_at`.
    public static func body(_ reason: Reason, shape: AnswerShape, model: String, at moment: AnswerMoment) -> [UInt8] {
        var fields = AnswerFields(shape: shape, model: model)
        fields.set(moment)
        var body = fields.head
        switch shape {
        case .chat: body += Array(#","message":{"role":"assistant","content":""}"#.utf8)
        case .generate: body += Array(#","response":"""#.utf8)
        }
        return body + Array(#","done":true,"done_reason":"\#(reason.rawValue)"}"#.utf8)
    }
}
