import Images
import Testing

@Suite struct PictureBase64Tests {
    private func comment(_ count: Int) -> [UInt8] {
        [0xFF, 0xFE, UInt8((count + 2) >> 8), UInt8((count + 2) & 255)] + [UInt8](repeating: 65, count: count)
    }

    /// Metadata before the picture and a film behind it, of every length modulo three, in text with and without padding, and somewhere inside
    /// a larger text.
    @Test(arguments: ["photos/astronaut.jpg", "photos/astronaut-progressive.jpg", "colour/profile.jpg"], 0...6)
    func `the text of a stripped picture is what encoding it would give`(name: String, cut: Int) throws {
        let plain = try ImageNormalizer().normalize(try ImageFixtures.bytes(name), to: ImageTarget()).jpeg
        for (trailing, isPadded) in [(0, true), (1, true), (2, false), (3, true), (100, false)] {
            let metadata = cut == 0 ? [] : comment(cut)
            let source = plain[..<2] + metadata + plain[2...] + [UInt8](repeating: 7, count: trailing)
            let given = [34] + Base64.encode(Array(source)).filter { isPadded || $0 != UInt8(ascii: "=") } + [34]
            let payload = given.dropFirst().dropLast()
            let base64 = try #require(ImageNormalizer().strip(text: payload, for: ImageTarget())).base64(from: payload)
            #expect(Array(base64.pieces.joined()) == Base64.encode(plain))
            // Four bytes of marker and length go with the comment.
            let shared = base64.shared.count
            if cut == 0 || (cut + 4) % 3 == 0 { #expect(shared > base64.count * 9 / 10) } else { #expect(shared == 0) }
        }
    }

    @Test func `a picture that has to be turned or encoded anew is not one of these`() throws {
        for name in ["orientation/jpeg-420-odd-6.jpg", "colour/cmyk-adobe.jpg", "colour/grey-8.png"] {
            #expect(ImageNormalizer().strip(text: Base64.encode(try ImageFixtures.bytes(name))[...], for: ImageTarget()) == nil)
        }
    }

    @Test func `text in another alphabet or with white space is not standard`() throws {
        let bytes = [UInt8](repeating: 0xFB, count: 100)
        let standard = Base64.encode(bytes)
        #expect(Base64.decodeLenient(standard[...])?.isStandard == true)
        for place in [0, 1, 40, 64, 131] {
            var other = standard
            other[place] = UInt8(ascii: place.isMultiple(of: 2) ? "_" : "-")
            #expect(Base64.decodeLenient(other[...])?.isStandard == false, "\(place)")
            #expect(Base64.decodeLenient((standard[..<place] + [10] + standard[place...])[...])?.isStandard == false, "\(place)")
        }
    }
}
