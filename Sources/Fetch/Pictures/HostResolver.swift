import CCurl

/// Turns a name into addresses.
protocol HostResolver: Sendable {
    /// All addresses of the name; empty if it has none.
    func addresses(of host: String) async -> [IPAddress]
}

/// Asks the operating system, on a thread for each question: the C call blocks and cannot be called back.
struct SystemResolver: HostResolver {
    func addresses(of host: String) async -> [IPAddress] {
        await Waiter.wait { waiter in
            let question = Question(host: host, waiter: waiter)
            let context = unsafe Unmanaged.passRetained(question).toOpaque()
            let status = unsafe fetch_start_thread(
                { context in
                    let question = unsafe Unmanaged<Question>.fromOpaque(context!).takeRetainedValue()
                    fetch_block_signals()
                    question.waiter.resume(lookUp(question.host))
                    return nil
                }, context)
            if status != 0 {
                unsafe Unmanaged<Question>.fromOpaque(context).release()
                waiter.resume([])
            }
        }
    }

    private final class Question: Sendable {
        let host: String
        let waiter: Waiter<[IPAddress]>

        init(host: String, waiter: Waiter<[IPAddress]>) {
            self.host = host
            self.waiter = waiter
        }
    }
}

private func lookUp(_ host: String) -> [IPAddress] {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    var first: UnsafeMutablePointer<addrinfo>?
    guard unsafe getaddrinfo(host, nil, &hints, &first) == 0 else { return [] }
    defer { unsafe freeaddrinfo(first) }
    var found: [IPAddress] = []
    var next = unsafe first
    while let entry = unsafe next {
        if let name = unsafe entry.pointee.ai_addr, let address = unsafe IPAddress(name), !found.contains(address) { found.append(address) }
        unsafe next = entry.pointee.ai_next
    }
    return found
}
