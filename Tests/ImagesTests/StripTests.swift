import Foundation
import TestSupport
import Testing

@testable import Images

/// JPEGs that are looked at without being decoded from base64 as a whole.
@Suite struct StripTests {
    private func comment(_ count: Int) -> [UInt8] {
        [0xFF, 0xFE, UInt8((count + 2) >> 8), UInt8((count + 2) & 255)] + [UInt8](repeating: 65, count: count)
    }

    private let normalizer = ImageNormalizer()

    private func expectSame(_ bytes: [UInt8], _ what: String, _ target: ImageTarget = ImageTarget()) {
        let text = [34] + Base64.encode(bytes) + [34]
        let payload = text.dropFirst().dropLast()
        let found = normalizer.strip(text: payload, for: target)
        var bytes = bytes
        let wanted = (try? normalizer.strip(&bytes, for: target)) ?? nil
        #expect(found?.report == wanted?.report, "\(what)")
        guard let found, let wanted else { return }
        let base64 = found.base64(from: payload)
        #expect(Array(base64.pieces.joined()) == Base64.encode(wanted.jpeg), "\(what)")
        #expect(base64.count == wanted.report.base64Bytes, "\(what)")
    }

    private static let names = [
        "photos/astronaut.jpg", "photos/astronaut-progressive.jpg", "photos/retina.jpg", "colour/profile.jpg", "colour/rgb-stored.jpg",
        "colour/grey.jpg",
        "colour/cmyk-adobe.jpg", "orientation/jpeg-420-odd-6.jpg",
    ]

    @Test(arguments: names)
    func `a JPEG's text gives what its bytes give`(name: String) throws {
        let bytes = try ImageFixtures.bytes(name)
        expectSame(bytes, "as it is")
        for (cut, trailing) in [(2, 0), (3, 1), (4, 50_000), (30_002, 2), (60_000, 3)] {
            expectSame(
                bytes[..<2] + comment(cut) + bytes[2...] + [UInt8](repeating: 0xFF, count: trailing), "\(cut) before, \(trailing) behind")
        }
        expectSame(bytes, "too large", ImageTarget(maxEdge: 100))
        for limit in [bytes.count, bytes.count / 3 * 4, bytes.count * 2] {
            expectSame(bytes, "at most \(limit)", ImageTarget(maxBase64Bytes: limit))
        }
        for missing in [1, 2, 3, 30_000, bytes.count / 2] { expectSame(Array(bytes.dropLast(missing)), "\(missing) missing") }
    }

    @Test func `the fast way is the one that photographs take`() throws {
        for name in Self.names.prefix(4) {
            var bytes = try ImageFixtures.bytes(name)
            bytes = try #require(try normalizer.strip(&bytes, for: ImageTarget())).jpeg
            #expect(normalizer.strip(text: Base64.encode(bytes)[...], for: ImageTarget()) != nil, "\(name)")
        }
    }

    @Test func `one in a thousand pieces is left to its bytes`() throws {
        let plain = try ImageFixtures.bytes("photos/astronaut.jpg")
        for (count, isFast) in [(3, true), (60, true), (70, false), (20_000, false)] {
            // Every comment that goes is followed by an empty table segment that stays.
            let parts = [[UInt8]](repeating: comment(5) + [0xFF, 0xDB, 0, 2], count: count).joined()
            var bytes = Array(plain[..<2] + parts + plain[2...])
            let text = Base64.encode(bytes)
            let stripped = normalizer.strip(text: text[...], for: ImageTarget())
            #expect((stripped != nil) == isFast, "\(count)")
            let wanted = try #require(try normalizer.strip(&bytes, for: ImageTarget())).jpeg
            if let stripped { #expect(Array(stripped.base64(from: text[...]).pieces.joined()) == Base64.encode(wanted)) }
        }
    }

    @Test(arguments: names)
    func `damage is found by both or by neither`(name: String) throws {
        let whole = try ImageFixtures.bytes(name)
        var random = SplitMix(state: 7)
        for _ in 0..<300 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place =
                    Bool.random(using: &random) ? Int.random(in: 0..<700, using: &random) : bytes.indices.randomElement(using: &random) ?? 0
                bytes[place] = [0xFF, 0, 0xD9, 0xDA, 0xC4, UInt8.random(in: 0...255, using: &random)].randomElement(using: &random) ?? 0
            }
            expectSame(bytes, "seed 7")
        }
    }

    /// Text that is not base64 somewhere, the part behind the picture included, is for the bytes' way to refuse or to understand.
    @Test func `every character is looked at`() throws {
        var bytes = try ImageFixtures.bytes("photos/astronaut.jpg")
        bytes = try #require(try normalizer.strip(&bytes, for: ImageTarget())).jpeg
        for trailing in [0, 100, 100_000] {
            let text = Base64.encode(bytes + [UInt8](repeating: 7, count: trailing))
            #expect(normalizer.strip(text: text[...], for: ImageTarget()) != nil)
            for place in [0, 3, 4, 5, 5000, 32_767, 32_768, 32_769, text.count / 2, text.count - 6, text.count - 5, text.count - 1] {
                for foreign in Array("*-_ \n\u{7F}=".utf8) + [0x80, 0xFF] where foreign != text[place] {
                    var other = text
                    other[place] = foreign
                    let isEnd = foreign == UInt8(ascii: "=") && place == text.count - 1
                    #expect(isEnd || normalizer.strip(text: other[...], for: ImageTarget()) == nil, "\(foreign) at \(place)")
                }
            }
        }
    }

    /// What a text says is what a decoder finds in all of it, however it ends and whatever is missing in it.
    private func expectNothingElse(_ text: [UInt8], _ what: String) {
        guard let found = normalizer.strip(text: text[...], for: ImageTarget()) else { return }
        guard var bytes = Base64.decodeLenient(text[...])?.bytes,
            let wanted = (try? normalizer.strip(&bytes, for: ImageTarget())) ?? nil
        else {
            Issue.record("\(what): made of a text that says no such thing")
            return
        }
        #expect(found.report == wanted.report, "\(what)")
        #expect(Array(found.base64(from: text[...]).pieces.joined()) == Base64.encode(wanted.jpeg), "\(what)")
    }

    @Test func `texts of every length and end are read as a decoder reads them`() throws {
        let whole = try ImageFixtures.bytes("photos/astronaut.jpg")
        for trailing in 0..<3 {
            let text = Base64.encode(whole + [UInt8](repeating: 7, count: trailing)).filter { $0 != UInt8(ascii: "=") }
            for missing in 0..<9 {
                for padding in 0..<6 {
                    let end = [UInt8](repeating: UInt8(ascii: "="), count: padding)
                    expectNothingElse(Array(text.dropLast(missing)) + end, "\(trailing) behind, \(missing) missing, \(padding) padding")
                    // One character less near the end moves all behind it.
                    expectNothingElse(Array(text.dropLast(missing + 1)) + text.suffix(missing) + end, "one gone before the last \(missing)")
                }
            }
        }
        for count in 0..<40 {
            for padding in 0..<5 {
                let text = Base64.encode(Array(whole.prefix(count))).filter { $0 != UInt8(ascii: "=") }
                expectNothingElse(text + [UInt8](repeating: UInt8(ascii: "="), count: padding), "\(count) bytes, \(padding) padding")
            }
        }
    }

    /// A segment that stays goes upstream as the text it came as.
    @Test func `every character of a long segment is looked at`() throws {
        var plain = try ImageFixtures.bytes("photos/astronaut.jpg")
        plain = try #require(try normalizer.strip(&plain, for: ImageTarget())).jpeg
        let table: [UInt8] = [0xFF, 0xDB, 0xEA, 0x62] + (0..<60_000).map { UInt8($0 % 251) }
        let text = Base64.encode(plain[..<2] + table + table + plain[2...])
        for place in stride(from: 100, to: 150_000, by: 997) {
            var other = text
            other[place] = UInt8(ascii: "*")
            #expect(normalizer.strip(text: other[...], for: ImageTarget()) == nil, "\(place)")
        }
    }

    /// As T.81 B.1.1.5 says it, byte by byte.
    private static func scanEnd(_ bytes: [UInt8], from start: Int) -> (end: Int, restarts: Int64, inOrder: Int32) {
        var (position, restarts, inOrder) = (start, Int64(0), Int32(1))
        while position + 1 < bytes.count {
            switch (bytes[position], bytes[position + 1]) {
            case (0xFF, 0): position += 2
            case (0xFF, 0xFF): position += 1
            case (0xFF, let code) where (0xD0...0xD7).contains(code):
                if Int64(code) != 0xD0 + restarts % 8 { inOrder = 0 }
                restarts += 1
                position += 2
            case (0xFF, _): return (position, restarts, inOrder)
            default: position += 1
            }
        }
        return (bytes.count, restarts, inOrder)
    }

    @Test func `coded data ends where a loop over its bytes says, at any distance from its neighbours`() {
        var random = SplitMix(state: 5)
        for _ in 0..<3000 {
            var bytes = (0..<Int.random(in: 1...200, using: &random)).map { _ in UInt8.random(in: 0...254, using: &random) }
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                let place = bytes.indices.randomElement(using: &random) ?? 0
                bytes[place] = 0xFF
                if place + 1 < bytes.count { bytes[place + 1] = [0, 0, 0, 0xD0, 0xD1, 0xFF, 0xD9, 1].randomElement(using: &random) ?? 0 }
            }
            let from = Int.random(in: 0...min(5, bytes.count), using: &random)
            var (restarts, inOrder) = (Int64(0), Int32(1))
            let end = bytes.scanEnd(from: from, &restarts, &inOrder)
            #expect((end, restarts, inOrder) == Self.scanEnd(bytes, from: from), "\(bytes) from \(from)")
        }
    }

    @Test func `coded data ends in text where it ends in bytes`() throws {
        var random = SplitMix(state: 3)
        for _ in 0..<400 {
            let count = [100, 24_575, 24_576, 24_577, 49_152, 70_000].randomElement(using: &random) ?? 0
            var bytes = [UInt8](repeating: 1, count: count)
            // Stuffed zeros, fill bytes and markers around the places where one window ends and the next begins.
            for start in stride(from: 0, to: count, by: 24_570) {
                for place in start..<min(start + 12, count) {
                    bytes[place] = [0xFF, 0xFF, 0, 0xD0, 0xD1, 3].randomElement(using: &random) ?? 0
                }
            }
            if Bool.random(using: &random) { bytes[count - 1] = 0xFF }
            let text = Base64.encode(bytes)
            var source = try #require(JPEGText(text[...]))
            #expect(source.count == count)
            for from in [0, 1, 2, 24_569, 24_580].filter({ $0 < count }) {
                var (restarts, inOrder, restartsInText, inOrderInText) = (Int64(0), Int32(1), Int64(0), Int32(1))
                let wanted = bytes.scanEnd(from: from, &restarts, &inOrder)
                let found = source.scanEnd(from: from, &restartsInText, &inOrderInText)
                #expect(found == wanted)
                #expect((restarts, inOrder) == (restartsInText, inOrderInText))
                let part = from..<min(from + Int.random(in: 0...60_000, using: &random), count)
                let bytesOfPart = source.part(part)
                #expect(bytesOfPart.elementsEqual(bytes[part]))
                let (byte, behind) = (source.byte(at: from), source.byte(at: count))
                #expect(byte == bytes.byte(at: from) && behind == nil)
            }
            let isSound = source.checkRest(from: 0)
            #expect(isSound)
        }
    }
}
