import Testing

@testable import Translate

@Suite struct SurrogateJoinerTests {
    static func joined(_ chunks: [String]) throws -> ([JSONValue], SurrogateJoiner) {
        var joiner = SurrogateJoiner()
        let values = try chunks.map { joiner.joined(try #require(JSONParser.parseAll(Array($0.utf8), keepsHalves: true).values.first)) }
        return (values, joiner)
    }

    @Test(arguments: [
        (#"{"content":"\ud83d"}"#, #"{"content":"\ude00"}"#, ["", "😀"]),
        (#"{"content":"a\ud83d\ude00\ud83d"}"#, #"{"content":"\ud83d\ude00"}"#, ["a😀", "\u{FFFD}😀"]),
        (#"{"content":"\ude00\ud83dx"}"#, #"{"content":"\ude00"}"#, ["\u{FFFD}\u{FFFD}x", "\u{FFFD}"]),
        (#"{"name":"\ud83d"}"#, #"{"name":"\ude00"}"#, ["\u{FFFD}", "\u{FFFD}"]),
    ])
    func `halves find each other in strings that go on, and only there`(first: String, second: String, expected: [String]) throws {
        let (values, joiner) = try Self.joined([first, second])
        #expect(values.map { $0.object?.members.first?.value.string ?? "" } == expected)
        #expect(joiner.isEmpty)
    }

    @Test(arguments: [
        (#"{"a":"\ud83d"}"#, true), (#"{"a":"\uDE00"}"#, true), (#"{"a":"\u00e9 \\ud83d"}"#, false), (#"{"a":"\ud7ff"}"#, false),
        (#"\u"#, false), (#"\\\ud8"#, true), ("", false),
    ])
    func `most chunks need no second look`(chunk: String, expected: Bool) {
        #expect(SurrogateJoiner.mayConcern(Array(chunk.utf8)) == expected)
    }

    @Test func `an upstream that leaves everything open does not fill the memory`() throws {
        let chunks = (0..<1000).map { #"{"parts":[{"index":\#($0),"text":"\ud83d"}]}"# }
        let (values, left) = try Self.joined(chunks)
        var joiner = left
        let replaced = values.count { $0.object?["parts"]?.array?[0].object?["text"] == "\u{FFFD}" }
        #expect(replaced > 900)
        #expect(joiner.takeRest() == (content: true, thinking: false) && joiner.isEmpty)
    }
}
