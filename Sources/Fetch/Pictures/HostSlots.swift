/// A few places for each host. libcurl could limit connections itself, but would count the wait as time spent connecting.
final class HostSlots: Sendable {
    private struct Host {
        let slots: FetchSlots
        var users = 0
    }
    private let perHost: Int
    private let hosts = Guarded<[String: Host]>([:])

    /// - Parameter perHost: How many places each host has; 0 for as many as are asked for.
    init(perHost: Int) {
        self.perHost = perHost
    }

    /// Waits for a place. False if the task was cancelled first; then there is nothing to leave.
    nonisolated(nonsending) func enter(_ host: String) async -> Bool {
        guard perHost > 0 else { return !Task.isCancelled }
        let slots = hosts.withLock { hosts in
            hosts[host, default: Host(slots: FetchSlots(perHost))].users += 1
            return hosts[host]?.slots
        }
        guard let slots, await slots.enter() else {
            forget(host)
            return false
        }
        return true
    }

    /// Gives a place to the next in line.
    func leave(_ host: String) {
        guard perHost > 0 else { return }
        hosts.withLock { $0[host]?.slots }?.leave()
        forget(host)
    }

    /// The table holds only hosts that somebody uses or waits for.
    private func forget(_ host: String) {
        hosts.withLock { hosts in
            hosts[host]?.users -= 1
            if hosts[host]?.users == 0 { hosts[host] = nil }
        }
    }
}
