import Images
import Testing

/// Lossy WebP is laid onto its background by planes, without becoming RGB.
@Suite struct WebPPlanesTests {
    private func mean(_ name: String, on background: (UInt8, UInt8, UInt8), edge: Int? = nil) throws -> [Int] {
        let (red, green, blue) = background
        let target = ImageTarget(maxEdge: edge, quality: 95, background: .colour(red: red, green: green, blue: blue))
        let result = try ImageNormalizer().normalize(try ImageFixtures.bytes(name), to: target)
        let colour = try MeanColour(ofJPEG: result.jpeg)
        return [colour.red, colour.green, colour.blue]
    }

    /// What shows of the background does not depend on the background's colour, nor on the size.
    @Test(arguments: [nil, 47, 30, 17])
    func `transparency lets through as much of every colour`(edge: Int?) throws {
        let name = "colour/lossy-alpha.webp"
        let onBlack = try mean(name, on: (0, 0, 0), edge: edge)
        let onWhite = try mean(name, on: (255, 255, 255), edge: edge)
        let through = zip(onWhite, onBlack).map { $0 - $1 }
        #expect(through.allSatisfy { (60...200).contains($0) }, "\(through)")
        #expect(try #require(through.max()) - #require(through.min()) <= 4, "\(through)")
        // A background of one primary comes through in that channel, as much as white does, and in no other.
        for (channel, background) in [(255, 0, 0), (0, 255, 0), (0, 0, 255)].enumerated() {
            let seen = try mean(name, on: (UInt8(background.0), UInt8(background.1), UInt8(background.2)), edge: edge)
            for other in 0..<3 {
                let wanted = other == channel ? onWhite[other] : onBlack[other]
                #expect(abs(seen[other] - wanted) <= 6, "\(seen) for \(background)")
            }
        }
    }
}
