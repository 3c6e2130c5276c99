import Foundation
import Images
import TestSupport
import Testing

@Suite struct Base64Tests {
    private func decode(_ text: String) -> [UInt8]? { Base64.decodeLenient(Array(text.utf8)[...])?.bytes }

    @Test func `every length agrees with Foundation in both directions`() {
        var generator = SplitMix(state: 1)
        for count in 0...400 {
            let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
            let text = Base64.encode(bytes)
            #expect(String(decoding: text, as: UTF8.self) == Data(bytes).base64EncodedString())
            #expect(text.count == base64Length(ofByteCount: count))
            #expect(Base64.decodeLenient(text[...])?.bytes == bytes)
            #expect(Base64.decodeLenient(([0x41] + text + [0x41]).dropFirst().dropLast())?.bytes == bytes)
            let unpadded = text.filter { $0 != UInt8(ascii: "=") }
            #expect(Base64.decodeLenient(unpadded[...])?.bytes == bytes)
            let urlSafe = text.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: "-") : $0 == UInt8(ascii: "/") ? UInt8(ascii: "_") : $0 }
            #expect(Base64.decodeLenient(urlSafe[...])?.bytes == bytes)
            let wrapped = text.enumerated().flatMap { (item) -> [UInt8] in item.offset % 76 == 75 ? [item.element, 13, 10] : [item.element]
            }
            #expect(Base64.decodeLenient([32] + wrapped + [10])?.bytes == bytes)
        }
    }

    @Test func `every character but those of the alphabets and whitespace is refused, wherever it stands`() {
        let good = [UInt8](repeating: UInt8(ascii: "A"), count: 120)
        for character in UInt8.min...UInt8.max {
            let isGood =
                character < 128
                && (Character(UnicodeScalar(character)).isLetter || Character(UnicodeScalar(character)).isNumber
                    || Array("+/-_ \t\n\r\u{0B}\u{0C}".utf8).contains(character))
            for position in [0, 5, 31, 32, 63, 100, 117] {
                var text = good
                text[position] = character
                // With a character taken out as whitespace 119 are left, which is three in the last group.
                #expect((Base64.decodeLenient(text[...]) != nil) == isGood, "\(character) at \(position)")
            }
        }
    }

    @Test(arguments: ["A", "AAAAA", "=", "====", "AA===", "AAA==", "A=", "A===", "AA=A", "=AAA", "AAAA=", "AAAA==", "AB=C", "Zm9v*", "é"])
    func `what is no base64 is refused`(text: String) {
        #expect(decode(text) == nil)
    }

    @Test(arguments: [
        ("", ""), ("  \n", ""), ("Zg", "f"), ("Zg==", "f"), ("Zg=", "f"), ("Zm8", "fo"), ("Zm9v", "foo"), ("Z m 9\tv\r\n", "foo"),
        ("Zg = =", "f"),
    ])
    func `sloppy base64 is understood`(text: String, wanted: String) {
        #expect(decode(text) == Array(wanted.utf8))
    }

    @Test func `a hundred megabytes of padding are refused in linear time`() {
        let text = [UInt8](repeating: UInt8(ascii: "="), count: 100 << 20)
        let clock = ContinuousClock()
        let took = clock.measure { #expect(Base64.decodeLenient(text[...]) == nil) }
        #expect(took < .seconds(2) * ProcessCounts.slowdown)
    }

    @Test func `a text's bytes are counted without decoding it, in any spelling`() throws {
        for count in 0..<40 {
            let text = Base64.encode([UInt8](repeating: 7, count: count))
            let wrapped = Array(String(decoding: text, as: UTF8.self).map { "\($0)\r\n" }.joined().utf8)
            let bare = text.filter { $0 != UInt8(ascii: "=") }
            for spelling in [text, bare, wrapped] { #expect(Base64.decodedCount(spelling[...]) == count) }
        }
    }

    @Test func `lengths do not overflow`() {
        #expect(base64Length(ofByteCount: 0) == 0)
        #expect(base64Length(ofByteCount: 1) == 4)
        #expect(base64Length(ofByteCount: 3) == 4)
        #expect(base64Length(ofByteCount: .max) == .max)
        #expect(base64Length(ofByteCount: -1) == 0)
    }
}
