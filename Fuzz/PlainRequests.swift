// fuzz-sources: Sources/OllamaBridge/FastPath/PlainRequest.swift Sources/OllamaBridge/FastPath/HeaderLine.swift
// fuzz-seeds: fixtures/fuzz/plain-requests
// fuzz-options: -max_len=2048

/// What is taken for a plain request is one to the simplest of readers too, and nothing in it asks for what the fast path does not do.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
    guard case .whole(let request) = PlainRequest.read(bytes.span) else { return 0 }
    check(request, bytes)
    // Every beginning of it could still have become one, and with anything behind it it would not have been one.
    for end in [0, 1, request.host.lowerBound, request.body.lowerBound - 1, request.body.lowerBound, size - 1] {
        precondition(PlainRequest.read(Array(bytes[..<end]).span) == .incomplete, "cut at \(end)")
    }
    precondition(PlainRequest.read((bytes + [0]).span) == .other)
    return 0
}

private let refused = [
    "transfer-encoding", "content-encoding", "expect", "upgrade", "origin", "sec-fetch-site",
]

private func check(_ request: PlainRequest, _ bytes: [UInt8]) {
    precondition(request.body.upperBound == bytes.count && !request.body.isEmpty)
    // Foundation-free on purpose: lines end in CRLF, names in the first colon.
    let head = String(decoding: bytes[..<request.body.lowerBound], as: UTF8.self)
    precondition(head.utf8.count == request.body.lowerBound && head.utf8.suffix(4).elementsEqual("\r\n\r\n".utf8))
    let lines = head.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    precondition(lines[0] == (request.route == .chat ? "POST /api/chat HTTP/1.1\r" : "POST /api/generate HTTP/1.1\r"))
    var hosts: [String] = []
    var lengths: [String] = []
    for line in lines.dropFirst().prefix(while: { $0 != "\r" }) {
        precondition(line.unicodeScalars.filter { $0 == "\r" }.count == 1 && line.unicodeScalars.last == "\r")
        precondition(line.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F || $0 == 0x09 || $0 == 0x0D })
        let colon = line.firstIndex(of: ":")!
        let name = line[..<colon].lowercased()
        let value = String(String.UnicodeScalarView(trimmed(line.unicodeScalars.drop { $0 != ":" }.dropFirst())))
        precondition(!name.isEmpty && !name.contains(" ") && !refused.contains(name))
        if name == "connection" { precondition(value.lowercased() == "keep-alive") }
        if name == "host" { hosts.append(value) }
        if name == "content-length" { lengths.append(value) }
    }
    precondition(hosts == [String(decoding: bytes[request.host], as: UTF8.self)])
    precondition(lengths.count == 1 && Int(lengths[0]) == request.body.count)
}

private func trimmed(_ value: Substring.UnicodeScalarView) -> Substring.UnicodeScalarView {
    var value = value.drop { $0 == " " || $0 == "\t" }
    while let last = value.last, last == " " || last == "\t" || last == "\r" { value.removeLast() }
    return value
}
