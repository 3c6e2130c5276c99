import Testing

@testable import Translate

@Suite struct PlainChatTests {
    /// The request as the plain path reads it, with bytes around it as in a connection's; nil where it leaves it to the general path.
    static func plain(_ body: [UInt8]) -> InferenceRequest? {
        let head = Array("POST /api/chat HTTP/1.1\r\n\r\n".utf8)
        return InferenceRequest.plainChat((head + body)[head.count...])
    }

    static func general(_ body: [UInt8]) -> InferenceRequest? { try? .chat(RequestBody.parse(body)) }

    @Test(arguments: [
        #"{"model":"m","messages":[{"role":"user","content":"Hello"}]}"#,
        #" { "stream" : false , "messages" : [ { "content" : "a\n\u00e9\ud83d\ude00\ud83d" , "role" : "system" } , {"role":"AsSistant","content":null} ] , "model" : "m" } trailing"#,
        #"{"model":"m","messages":[{"role":"robot","content":"ü","images":null,"tool_calls":null,"more":[1,{"a":2}]}],"tools":null,"unknown":{"x":[]}}"#,
        #"{"model":"m","messages":[],"options":{"temperature":0.5,"num_ctx":"4096","stop":"x"},"keep_alive":"5m","think":"low","format":"json"}"#,
        #"{"model":"m","messages":[{"content":"x"}],"options":null,"keep_alive":null,"think":null,"format":null,"stream":null}"#,
        #"{"messages":[{"role":"user","content":"without a model"}]}"#,
    ])
    func `a plain chat is read as the general path reads it`(body: String) throws {
        let plain = try #require(Self.plain(Array(body.utf8)))
        #expect("\(plain)" == "\(try #require(Self.general(Array(body.utf8))))")
    }

    @Test(arguments: [
        #"{"model":"m","Messages":[]}"#, #"{"model":"m","model":"n"}"#, #"{"mod\u0065l":"m"}"#, #"{"model":null}"#, #"{"model":1}"#,
        #"{"model":"m","messages":[{"role":"user","content":"a","content":"b"}]}"#,
        #"{"model":"m","messages":[{"role":"user","content":"a","content":null}]}"#,
        #"{"model":"m","messages":[{"role":"user","Content":"a"}]}"#,
        #"{"model":"m","messages":[{"role":"user","content":["a"]}]}"#,
        #"{"model":"m","messages":[{"role":"user","images":["iVBO"]}]}"#,
        #"{"model":"m","messages":[{"role":"tool","content":"a","tool_name":"f"}]}"#,
        #"{"model":"m","messages":[{"role":"assistant","tool_calls":[{}]}]}"#,
        #"{"model":"m","tools":[]}"#, #"{"model":"m","logprobs":true}"#, #"{"model":"m","images":[]}"#,
        #"{"model":"m","options":[]}"#, #"{"model":"m","options":{"temperature":"warm"}}"#, #"{"model":"m","stream":"yes"}"#,
        #"{"model":"m","messages":[{}]}"#, #"{"model":"m","messages":[]"#, #"{"model":"m" "stream":true}"#, #"[{"model":"m"}]"#, "{}",
        "null", "",
    ])
    func `everything else is left to the general path`(body: String) {
        #expect(Self.plain(Array(body.utf8)) == nil)
    }

    @Test func `bytes that are no UTF-8 become what the general path makes of them`() throws {
        let body = Array(#"{"messages":[{"content":"a"#.utf8) + [0xFC, 0x62] + Array(#""}]}"#.utf8)
        #expect("\(try #require(Self.plain(body)))" == "\(try #require(Self.general(body)))")
    }

    /// The bodies of all fixtures, whole and with bytes changed, taken out or doubled.
    @Test(arguments: RequestCase.all.filter { $0.endpoint == "/api/chat" })
    func `both paths agree on what both read`(_ example: RequestCase) throws {
        let body = try example.bytes("ollama-request.json")
        guard (1..<1 << 14).contains(body.count) else { return }
        var random = SplitMix(state: UInt64(body.count))
        for round in 0..<200 {
            var changed = body
            if round > 0 {
                let place = Int.random(in: 0..<changed.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: changed[place] = Array(#"{}[]",:\ntu01Aé"#.utf8).randomElement(using: &random)!
                case 1: changed.remove(at: place)
                default: changed.insert(contentsOf: changed[place..<min(place + 12, changed.count)], at: place)
                }
            }
            guard let plain = Self.plain(changed) else { continue }
            let general = try #require(Self.general(changed), "\(String(decoding: changed, as: UTF8.self))")
            try #require("\(plain)" == "\(general)", "\(String(decoding: changed, as: UTF8.self))")
        }
    }

    @Test func `many of the fixtures are plain`() throws {
        let bodies = try RequestCase.all.filter { $0.endpoint == "/api/chat" }.map { try $0.bytes("ollama-request.json") }
        #expect(bodies.count { Self.plain($0) != nil } > 20)
    }
}
