import Testing
import Translate

@Suite struct KeepAliveTests {
    static func keepAlive(_ json: String) throws(OllamaFailure) -> KeepAlive? {
        try InferenceRequest.chat(try RequestBody.parse(Array(#"{"model":"m","keep_alive":\#(json)}"#.utf8))).keepAlive
    }

    @Test(arguments: [
        ("300", 300.0), ("2.5", 2.5), ("0", 0), ("0.0", 0), (#""0""#, 0), (#""0s""#, 0), (#""5m""#, 300), (#""1h30m""#, 5400),
        (#""300ms""#, 0.3),
        (#""1.5h""#, 5400), (#""10""#, 10), (#""+2m""#, 120), (#""1µs""#, 0.000001), (#"".5s""#, 0.5),
    ])
    func `seconds and Go durations`(json: String, seconds: Double) throws {
        let expected = KeepAlive.duration(.seconds(seconds))
        #expect(try Self.keepAlive(json) == expected)
        #expect(expected.isUnload == (seconds == 0))
    }

    @Test(arguments: ["-1", "-0.5", #""-1""#, #""-1m""#, "1e300", #""-1h""#])
    func `negative means forever`(json: String) throws {
        #expect(try Self.keepAlive(json) == .forever)
    }

    @Test func `null is absent`() throws { #expect(try Self.keepAlive("null") == nil) }

    @Test(arguments: [
        (#""5x""#, #"time: unknown unit "x" in duration "5x""#), (#""abc""#, #"time: invalid duration "abc""#),
        (#""5m3""#, #"time: missing unit in duration "5m3""#), (#""""#, #"time: invalid duration """#),
        (#""-""#, #"time: invalid duration "-""#),
        ("true", "Unsupported type: 'bool'"), ("[]", "Unsupported type: '[]interface {}'"),
        ("{}", "Unsupported type: 'map[string]interface {}'"),
        (#""nan""#, #"time: invalid duration "nan""#), (#""..s""#, #"time: invalid duration "..s""#),
    ])
    func `anything else fails in Go's words`(json: String, message: String) {
        let failure = #expect(throws: OllamaFailure.self) { try Self.keepAlive(json) }
        #expect(failure?.error == message && failure?.status == 400)
    }

    @Test func `the setting's text form`() {
        #expect(KeepAlive(text: "5m") == .duration(.seconds(300)))
        #expect(KeepAlive(text: "-1") == .forever)
        #expect(KeepAlive(text: "soon") == nil)
    }
}
