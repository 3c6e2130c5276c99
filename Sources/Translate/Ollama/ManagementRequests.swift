/// A body that names one model: show, pull, push, delete, create. `name` is read where `model` is absent, as older clients send it.
public struct NamedModelRequest: Sendable, Equatable {
    /// "" when absent.
    public var model: String
    /// Absent means true; only some routes stream.
    public var stream: Bool
    public var verbose: Bool
    /// On create: the model to copy.
    public var from: String?

    /// - Parameter name: The Go struct that a complaint about a wrong type names.
    public static func decode(_ json: JSONValue, struct name: String = "ShowRequest") throws(OllamaFailure) -> NamedModelRequest {
        let fields = try FieldReader(body: json, struct: name)
        var model = try fields.string("model") ?? ""
        if model.isEmpty { model = try fields.string("name") ?? "" }
        return NamedModelRequest(
            model: model, stream: try fields.bool("stream") ?? true, verbose: try fields.bool("verbose") ?? false,
            from: try fields.string("from"))
    }
}

/// A body of `/api/copy`.
public struct CopyRequest: Sendable, Equatable {
    public var source: String
    public var destination: String

    public static func decode(_ json: JSONValue) throws(OllamaFailure) -> CopyRequest {
        let fields = try FieldReader(body: json, struct: "CopyRequest")
        return CopyRequest(source: try fields.string("source") ?? "", destination: try fields.string("destination") ?? "")
    }
}
