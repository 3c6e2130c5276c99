import Testing

@testable import Translate

@Suite struct JSONSpansTests {
    @Test func `values stand where they are said to stand`() throws {
        let text = " { \"a\\u0041\" : [ 1.5e3, \"x\\\"]}\" ,{ } ], \"b\":null,\"c\" : \"\(String(repeating: "y", count: 5000))\" } tail"
        let spans = JSONSpans(bytes: Array(text.utf8))
        let members = spans.members(of: spans.document)
        #expect(members.map(\.key) == ["aA", "b", "c"])
        let elements = spans.elements(of: members[0].value).map { String(decoding: spans.bytes[$0], as: UTF8.self) }
        #expect(elements == ["1.5e3", #""x\"]}""#, "{ }"])
        #expect(spans.text(at: spans.elements(of: members[0].value)[1])?.string == "x\"]}")
        #expect(spans.text(at: members[2].value)?.utf8.count == 5000)
        #expect(spans.text(at: members[1].value) == nil && spans.members(of: members[1].value).isEmpty)
    }

    @Test(arguments: ["", "{", "{\"a", "{\"a\":", "{\"a\\", "[1,", "}", "]]", "\"", "{\"a\" 1}", "{,}", "[,,]", "{\"a\":1,,\"b\":2}", "\\"])
    func `text that is no JSON never traps`(text: String) {
        let spans = JSONSpans(bytes: Array(text.utf8))
        for member in spans.members(of: spans.document) { _ = spans.text(at: member.value) }
        for element in spans.elements(of: spans.document) { _ = spans.members(of: element) }
    }
}
