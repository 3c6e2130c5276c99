/// How long a model counts as loaded after a request. A proxy loads nothing; this only decides what `/api/ps` shows.
public enum KeepAlive: Sendable, Equatable {
    /// At least zero; exactly zero asks to unload.
    case duration(Duration)
    /// Any negative value.
    case forever

    /// Exactly zero: `0`, `"0"`, `"0s"`.
    public var isUnload: Bool { self == .duration(.zero) }
}
