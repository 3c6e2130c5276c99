import Testing

@testable import Translate

@Suite struct JSONParserTests {
    static func parse(_ text: String, rule: JSONParser.TextRule = .strict) throws(JSONError) -> JSONValue {
        try JSONParser.parse(Array(text.utf8), rule: rule)
    }

    @Test(arguments: [
        ("", "EOF"), ("  \n", "EOF"),
        ("{", "unexpected EOF"), (#"{"a":"#, "unexpected EOF"), (#"{"a":"b"#, "unexpected EOF"), ("[1,", "unexpected EOF"),
        ("tru", "unexpected EOF"),
        ("}", "invalid character '}' looking for beginning of value"),
        (#"{"a" x"#, "invalid character 'x' after object key"),
        (#"{"a":1 x"#, "invalid character 'x' after object key:value pair"),
        (#"{a"#, "invalid character 'a' looking for beginning of object key string"),
        ("[1 2]", "invalid character '2' after array element"),
        ("trux", "invalid character 'x' in literal true (expecting 'e')"),
        ("-x", "invalid character 'x' in numeric literal"),
        ("1.x", "invalid character 'x' after decimal point in numeric literal"),
        ("1ex", "invalid character 'x' in exponent of numeric literal"),
        (#""\q""#, "invalid character 'q' in string escape code"),
        (#""\u12x4""#, "invalid character 'x' in \\u hexadecimal character escape"),
        ("\"a\nb\"", "invalid character '\\n' in string literal"),
        ("'a'", "invalid character '\\'' looking for beginning of value"),
    ])
    func `broken text is refused in Go's words`(text: String, message: String) {
        let error = #expect(throws: JSONError.self) { try Self.parse(text) }
        #expect(error?.message == message)
    }

    @Test func `what follows the first value is ignored`() throws {
        #expect(try Self.parse(#"{"a":1} trailing"#) == ["a": 1])
    }

    @Test func `the last of equal keys counts and keys match in any case`() throws {
        let object = try #require(try Self.parse(#"{"Model":"a","MODEL":"b","x":null}"#).object)
        #expect(object.lenient("model")?.string == "b")
        #expect(object.lenient("x") == nil)
    }

    @Test func `escapes and surrogate pairs are undone`() throws {
        #expect(try Self.parse(#""a\n\"\\\/\u00e9\ud83d\ude00\ud800""#).string == "a\n\"\\/é😀\u{FFFD}")
    }

    @Test func `numbers keep their spelling`() throws {
        let values = try #require(try Self.parse("[8192.0, 123456789012345678901234567890, 1e3, -0]").array)
        #expect(values.compactMap { $0.number?.text } == ["8192.0", "123456789012345678901234567890", "1e3", "-0"])
        #expect(values.map { $0.number?.integer } == [8192, nil, 1000, 0])
    }

    @Test func `bytes that are no UTF-8 are refused from clients and mended from upstreams`() throws {
        let bytes: [UInt8] = [0x22, 0x61, 0xFF, 0x22]
        #expect(throws: JSONError.invalidUTF8) { try JSONParser.parse(bytes) }
        #expect(try JSONParser.parse(bytes, rule: .repair).string == "a\u{FFFD}")
    }

    @Test func `structure is limited, not only bytes`() {
        let deep = [UInt8](repeating: UInt8(ascii: "["), count: 100_000)
        #expect(throws: JSONError.tooComplex("nested deeper than 256 levels")) { try JSONParser.parse(deep) }
        let wide = Array(("[" + String(repeating: "0,", count: 300_001) + "0]").utf8)
        #expect(throws: JSONError.tooComplex("too many values")) { try JSONParser.parse(wide) }
    }

    @Test func `what is written reads back the same`() throws {
        let value: JSONValue = ["a": ["\u{1}\"\\\n\té", 1.5, true, .null], "": [:]]
        #expect(try JSONParser.parse(JSONWriter.bytes(value)) == value)
    }

    @Test func `a long string is a slice of the body`() throws {
        let text = String(repeating: "QUJD", count: 10_000)
        let body = Array(#"{"image":"\#(text)"}"#.utf8)
        guard case .string(let found)? = try JSONParser.parse(body).object?["image"] else {
            Issue.record("no string")
            return
        }
        #expect(found.utf8.startIndex == 10 && found.string == text)
    }
}
