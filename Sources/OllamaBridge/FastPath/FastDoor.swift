import Fetch
import Glibc
import HTTPTypes
import HummingbirdCore
import NIOCore
import Translate

/// The fast path's way in: clients are served on the thread on which their upstreams' answers arrive, so that a small chat crosses no
/// threads at all. Whatever is not such a chat goes on to the server library with all that was read of it.
final class FastDoor: Sendable {
    /// The same checks, limits and records as for everybody else.
    let front: FrontDoor
    let connections: Connections
    /// Where requests go that are none of the fast path's.
    let whole: BridgeChannel
    private let relay: Relay
    private let fetcher: Fetcher

    /// - Parameter fetcher: That of the relay's upstreams.
    init(front: FrontDoor, whole: BridgeChannel, connections: Connections, relay: Relay, fetcher: Fetcher) {
        self.front = front
        self.whole = whole
        self.connections = connections
        self.relay = relay
        self.fetcher = fetcher
    }

    /// Takes connections from a listening socket until ``closeListening(_:)``, which closes it.
    func listen(on socket: CInt) {
        perform { thread in _ = thread.watch(socket, FastListener(socket, thread, self)) }
    }

    func closeListening(_ socket: CInt) async {
        await fetcher.performAndWait { thread in
            thread.forget(socket)
            close(socket)
        }
    }

    func perform(_ work: @escaping @Sendable (FetchThread) -> Void) { fetcher.perform(work) }

    /// Begins the answer to a request.
    ///
    /// - Parameter bytes: The request, whole.
    /// - Returns: nil for what is none of the fast path's, mistakes included.
    func begin(_ plain: PlainRequest, _ bytes: [UInt8], for connection: FastConnection) -> FastAnswer? {
        guard let guards = front.guards, guards.keys.isEmpty, connection.scratch.allows(bytes[plain.host], guards.hosts) else { return nil }
        let exchange = front.exchange(plain.route.request, from: connection.client, over: nil, route: plain.route.path)
        guard (try? exchange.lease.takeBody(bytes.count)) != nil, let request = plain.question(bytes),
            let ready = relay.ready(request, exchange)
        else { return nil }
        let answer = ready.isStream ? FastStream(ready, connection) : FastWhole(ready, connection)
        return answer.begin(ready.fetch, on: connection.thread) ? answer : nil
    }

    func answered(by provider: String, after nanoseconds: Int64) {
        relay.upstream.health.note(.answered(nanoseconds: nanoseconds), provider)
    }
}

extension PlainRequest {
    fileprivate func question(_ bytes: [UInt8]) -> InferenceRequest? {
        if route == .chat, let request = InferenceRequest.plainChat(bytes[body]) { return request }
        guard let json = try? RequestBody.parse(Array(bytes[body])) else { return nil }
        return try? route == .chat ? .chat(json) : .generate(json)
    }
}

extension PlainRequest.Route {
    fileprivate var path: String { self == .chat ? "/api/chat" : "/api/generate" }

    /// What of a request its exchange still needs when the body has been read.
    fileprivate var request: ServedRequest { self == .chat ? Self.chatRequest : Self.generateRequest }

    private static let chatRequest = request(to: "/api/chat")
    private static let generateRequest = request(to: "/api/generate")

    private static func request(to path: String) -> ServedRequest {
        ServedRequest(
            Request(head: HTTPRequest(method: .post, scheme: "http", authority: nil, path: path), body: .init(buffer: ByteBuffer())))
    }
}
