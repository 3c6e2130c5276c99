import TestSupport
import Testing

@testable import Translate

@Suite struct JSONScanTests {
    /// One byte at a time, as RFC 8259 §7 says it.
    private static func run(_ bytes: [UInt8], from start: Int, to end: Int) -> (end: Int, isASCII: Bool) {
        let stop = bytes[start..<end].firstIndex { $0 == 0x22 || $0 == 0x5C || $0 < 0x20 } ?? end
        return (stop, bytes[start..<stop].allSatisfy { $0 < 0x80 })
    }

    @Test(arguments: [0x22, 0x5C, 0x00, 0x1F, 0x0A, 0x20, 0x21, 0x23, 0x5B, 0x5D, 0x7F, 0x80, 0xA2, 0xDC, 0xFF] as [UInt8])
    func `a run ends where a loop over its bytes says`(byte: UInt8) {
        for length in [0, 1, 7, 8, 9, 63, 64, 65, 130, 200] {
            for position in 0..<length {
                for filler in [0x61, 0x20, 0x7E] as [UInt8] {
                    var bytes = [UInt8](repeating: filler, count: length)
                    bytes[position] = byte
                    for start in [0, min(3, length)] {
                        let (found, wanted) = (JSONScan.plainRun(bytes, from: start, to: length), Self.run(bytes, from: start, to: length))
                        #expect(found == wanted, "\(byte) at \(position) of \(length)")
                    }
                }
            }
        }
    }

    @Test func `what lies behind the end does not count`() {
        var bytes = [UInt8](repeating: 0x61, count: 200)
        bytes[100] = 0x22
        #expect(JSONScan.plainRun(bytes, from: 0, to: 100) == (100, true))
        bytes[101] = 0xC3
        #expect(JSONScan.plainRun(bytes, from: 0, to: 200) == (100, true))
    }

    /// Strings of every length around what a stretch is, written in chunks of any size.
    @Test func `a text is parsed the same with what was seen of it when it came`() throws {
        var random = SplitMix(state: 11)
        for _ in 0..<300 {
            var text = Array(#"{"messages": ["#.utf8)
            for index in 0..<Int.random(in: 1...5, using: &random) {
                if index > 0 { text += Array(",".utf8) }
                var string = [UInt8](repeating: UInt8(ascii: "A"), count: Int.random(in: 0...20_000, using: &random))
                for _ in 0..<Int.random(in: 0...2, using: &random) where !string.isEmpty {
                    let place = string.indices.randomElement(using: &random) ?? 0
                    let piece = ["\\n", "\\u00e9", "é", "\u{1}", "\"", "\\q"].randomElement(using: &random) ?? ""
                    string.replaceSubrange(place...place, with: Array(piece.utf8))
                }
                text += [0x22] + string + [0x22] + [UInt8](repeating: 0x20, count: Int.random(in: 0...6000, using: &random))
            }
            text += Array("]}".utf8)
            if Bool.random(using: &random) { text.removeLast(Int.random(in: 0..<text.count, using: &random)) }
            var stretches = PlainStretches()
            var here: [UInt8] = []
            while here.count < text.count {
                here += text[here.count..<min(text.count, here.count + Int.random(in: 1...9000, using: &random))]
                stretches.lookAt(here)
            }
            for range in stretches.ranges { #expect(text[range].allSatisfy { (0x20...0x7F).contains($0) && $0 != 0x22 && $0 != 0x5C }) }
            let wanted = Result { try JSONParser.parse(text, rule: .repair) }
            let found = Result { try JSONParser.parse(text, stretches: stretches, rule: .repair) }
            switch (wanted, found) {
            case (.success(let wanted), .success(let found)): #expect(JSONWriter.bytes(wanted) == JSONWriter.bytes(found))
            case (.failure(let wanted), .failure(let found)): #expect("\(wanted)" == "\(found)")
            default: Issue.record("\(wanted) is not \(found)")
            }
        }
    }

    @Test func `a picture's text is one stretch, but for its ends`() {
        var text = Array(#"{"images": [""#.utf8)
        let start = text.count
        text += [UInt8](repeating: UInt8(ascii: "A"), count: 1_000_000)
        let end = text.count
        text += Array(#""]}"#.utf8)
        var stretches = PlainStretches()
        for count in stride(from: 0, through: text.count, by: 50_001) { stretches.lookAt(Array(text[..<count])) }
        stretches.lookAt(text)
        #expect(stretches.ranges.count == 1)
        #expect(stretches.ranges.allSatisfy { $0.lowerBound < start + 128 && $0.upperBound > end - 128 })
    }
}
