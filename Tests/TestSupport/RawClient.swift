import Foundation

/// A client of plain sockets that sends exactly what a test says, right or wrong. Its waiting blocks a thread of its own and nobody else's.
public final class RawClient: Sendable {
    private let descriptor: CInt
    private let queue = DispatchQueue(label: "raw client")
    private let state = LockedValue((received: [UInt8](), hasEnded: false, isClosed: false))

    /// Connects to 127.0.0.1.
    public init(port: Int) throws {
        descriptor = try Socket.dial(port: UInt16(port), patienceSeconds: 20)
    }

    /// Connects to a Unix socket.
    public init(unixSocket path: String) throws {
        descriptor = try Socket.dial(unixSocket: path, patienceSeconds: 20)
    }

    deinit { close() }

    /// Sends text as it is, with every line break as given.
    public func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    /// Sends bytes as they are.
    public func send(_ bytes: [UInt8]) async throws {
        try await run { descriptor in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Socket.send(descriptor, rest)
                guard count > 0 else { throw StubFailure.peerClosed }
                rest.removeFirst(count)
            }
        }
    }

    /// Everything that has come, read on until the peer ends, cuts, or says nothing for 20 seconds.
    public func readToEnd() async -> [UInt8] {
        while await fill() {}
        return take(Int.max)
    }

    /// Reads up to and including some text.
    ///
    /// - Throws: `StubFailure.peerClosed` if it never comes.
    public func read(upTo mark: String) async throws -> String {
        let mark = Array(mark.utf8)
        while true {
            let found = state.withLock { $0.received.firstRange(of: mark)?.upperBound }
            if let found { return String(decoding: take(found), as: UTF8.self) }
            guard await fill() else { throw StubFailure.peerClosed }
        }
    }

    /// Reads that many bytes.
    public func read(_ count: Int) async throws -> [UInt8] {
        while state.withLock({ $0.received.count }) < count {
            guard await fill() else { throw StubFailure.peerClosed }
        }
        return take(count)
    }

    /// Reads one whole response: by its length, its chunks, or to the end.
    public func response() async throws -> RawResponse {
        let head = try await read(upTo: "\r\n\r\n")
        var response = RawResponse(head: head)
        if response.status < 200 || response.status == 204 || response.status == 304 { return response }
        if let length = response.field("content-length").flatMap({ Int($0) }) {
            response.body = try await read(length)
        } else if response.field("transfer-encoding") != nil {
            while let chunk = try await readChunk() { response.body += chunk }
        } else {
            response.body = await readToEnd()
        }
        return response
    }

    /// Reads one chunk of a chunked body; nil at its end.
    public func readChunk() async throws -> [UInt8]? {
        let line = try await read(upTo: "\r\n")
        guard let size = Int(line.dropLast(1).trimmingCharacters(in: .whitespacesAndNewlines), radix: 16) else {
            throw StubFailure.notARequest
        }
        let chunk = try await read(size)
        _ = try await read(2) as [UInt8]
        return size == 0 ? nil : chunk
    }

    /// Sends a request and reads its response.
    public func exchange(_ request: String) async throws -> RawResponse {
        try await send(request)
        return try await response()
    }

    /// Ends our side; the other stays open.
    public func endWriting() { Socket.endWriting(descriptor) }

    /// Cuts the connection with a reset.
    public func reset() {
        Socket.resetOnClose(descriptor)
        close()
    }

    /// Closes the connection with a FIN, as a client that gives up does.
    public func close() {
        let wasOpen = state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        if wasOpen { Socket.close(descriptor) }
    }

    private func fill() async -> Bool {
        if state.withLock({ $0.hasEnded }) { return false }
        let bytes = try? await run { Socket.receive($0) }
        guard let bytes, !bytes.isEmpty else {
            state.withLock { $0.hasEnded = true }
            return false
        }
        state.withLock { $0.received += bytes }
        return true
    }

    private func take(_ count: Int) -> [UInt8] {
        state.withLock { state in
            let taken = Array(state.received.prefix(count))
            state.received.removeFirst(taken.count)
            return taken
        }
    }

    private func run<Value: Sendable>(_ work: @escaping @Sendable (CInt) throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { [descriptor] in continuation.resume(with: Result { try work(descriptor) }) }
        }
    }
}

/// A response as it came.
public struct RawResponse: Sendable {
    /// Status line and fields.
    public let head: String
    /// Without chunk frames.
    public var body: [UInt8] = []

    /// The status code; 0 if there is none.
    public var status: Int { head.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0 }

    /// The body as text.
    public var text: String { String(decoding: body, as: UTF8.self) }

    /// The value of a field, by its name in lower case.
    public func field(_ name: String) -> String? {
        RecordedRequest.fields(of: Array(head.utf8)).first { $0.name.lowercased() == name }?.value
    }
}
