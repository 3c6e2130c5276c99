/// Why the bridge does not start: one sentence that names the place and the remedy.
struct StartupError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
