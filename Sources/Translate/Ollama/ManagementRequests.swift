/// A body that names one model: show, pull, push, delete, create. `name` is read where `model` is absent, as older clients send it.
public struct NamedModelRequest: Sendable, Equatable {
    /// "" when absent.
    public var model: String
    /// Absent means true; only some routes stream.
    public var stream: Bool
    public var verbose: Bool
    /// On create: the model to copy.
    public var from: String?

    public static func decode(_ json: JSONValue, struct name: String = "ShowRequest") throws(OllamaFailure) -> NamedModelRequest {
        throw .badRequest("not built yet")
    }
}

/// A body of `/api/copy`.
public struct CopyRequest: Sendable, Equatable {
    public var source: String
    public var destination: String

    public static func decode(_ json: JSONValue) throws(OllamaFailure) -> CopyRequest {
        throw .badRequest("not built yet")
    }
}
