// fuzz-sources: Sources/OllamaBridge/Listener/HostCheck.swift Sources/OllamaBridge/Listener/CrossOrigin.swift
// fuzz-seeds: fixtures/fuzz/host-origin
// fuzz-options: -max_len=256

/// Any Host and Origin get a verdict, and none of them speaks for a name that a stranger can own. Input: host, line feed, origin.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
    let parts = bytes.split(separator: 0x0A, maxSplits: 1, omittingEmptySubsequences: false)
    let host = String(decoding: parts[0], as: UTF8.self)
    let origin = String(decoding: parts.count > 1 ? parts[1] : [], as: UTF8.self)
    checkHost(host)
    checkOrigin(origin, host)
    // A pattern is as foreign as what it is matched with: no pair may take more than the square of its length.
    _ = CrossOrigin.matches(host[...], origin[...])
    precondition(CrossOrigin.matches(host[...], "*"))
    return 0
}

private func checkHost(_ host: String) {
    let check = HostCheck(ownNames: ["bridge.lan"])
    guard check.allows(host) else { return }
    // What is allowed is one of ours, or an address written in digits: nothing a name server answers for.
    guard let name = HostCheck.name(of: host)?.lowercased() else { fatalError("allowed without a name") }
    precondition(HostCheck.name(of: name) != nil, "a name is its own host")
    let digits = name.hasPrefix("[") ? "0123456789abcdef:.[]" : "0123456789."
    let isAddress = name.allSatisfy { digits.contains($0) }
    let isOurs = name == "localhost" || name.hasSuffix(".localhost") || name == "host.docker.internal" || name == "bridge.lan"
    precondition(isAddress || isOurs, name)
}

private func checkOrigin(_ origin: String, _ host: String) {
    let rules = CrossOrigin(configured: [])
    guard case .allowed(let echoed) = rules.verdict(origin: origin, host: host, fetchSite: nil) else { return }
    precondition(echoed == origin)
    let lowercase = origin.lowercased()
    // A page on the web has http or https and a host; only this machine's may be let in.
    for scheme in ["http://", "https://"] where lowercase.hasPrefix(scheme) {
        let rest = lowercase.dropFirst(scheme.count)
        precondition(["localhost", "127.0.0.1", "0.0.0.0"].contains { rest == $0 || rest.hasPrefix($0 + ":") })
    }
}
