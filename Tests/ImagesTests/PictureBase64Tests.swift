import Images
import Testing

@Suite struct PictureBase64Tests {
    private func comment(_ count: Int) -> [UInt8] {
        [0xFF, 0xFE, UInt8((count + 2) >> 8), UInt8((count + 2) & 255)] + [UInt8](repeating: 65, count: count)
    }

    private func text(_ image: NormalizedImage, _ source: ArraySlice<UInt8>?) -> (whole: [UInt8], shared: Int) {
        let base64 = image.base64(sharing: source)
        let whole = Array(base64.pieces.joined())
        #expect(whole.count == base64.count)
        #expect(base64.count == image.report.base64Bytes)
        return (whole, base64.shared.count)
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
            let decoded = try #require(Base64.decodeLenient(payload))
            #expect(decoded.isStandard)
            let image = try ImageNormalizer().normalize(decoded.bytes, to: ImageTarget())
            #expect(image.jpeg == plain)
            let (whole, shared) = text(image, payload)
            #expect(whole == Base64.encode(plain))
            // Four bytes of marker and length go with the comment.
            if cut == 0 || (cut + 4) % 3 == 0 { #expect(shared > whole.count * 9 / 10) } else { #expect(shared == 0) }
            #expect(text(image, nil) == (Base64.encode(plain), 0))
        }
    }

    @Test func `a picture that was turned or encoded anew shares nothing`() throws {
        for name in ["orientation/jpeg-420-odd-6.jpg", "colour/cmyk-adobe.jpg", "colour/grey-8.png"] {
            let source = try ImageFixtures.bytes(name)
            let image = try ImageNormalizer().normalize(source, to: ImageTarget())
            #expect(text(image, Base64.encode(source)[...]) == (Base64.encode(image.jpeg), 0))
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
