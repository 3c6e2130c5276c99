import Foundation
import TestSupport
import Testing

/// A picture of fixtures/images and what is known about it.
struct ImageFact: Decodable, Sendable, CustomTestStringConvertible {
    let file: String
    /// Upright size.
    let width: Int
    let height: Int
    /// Most mean difference of a cell's channel, of 255.
    let tolerance: Double
    /// Mean colour of each cell of an 8 × 8 grid, row by row.
    let grid: [[Double]]
    /// Name of an action that must be among those reported.
    let action: String?
    let sampling: String?
    /// `white` or `dark`, where the picture is transparent.
    let background: String?

    var testDescription: String { file }
}

enum ImageFixtures {
    static let folder = Fixtures.folder.appending(path: "images")

    static func bytes(_ name: String) throws -> [UInt8] {
        try Fixtures.bytes("images/\(name)")
    }

    static let facts: [ImageFact] = {
        guard let data = try? Data(contentsOf: folder.appendingPathComponent("facts.json")) else { return [] }
        return (try? JSONDecoder().decode([ImageFact].self, from: data)) ?? []
    }()

    /// One small file of each kind whose damage is worth trying.
    static let small = [
        "orientation/jpeg-420-odd-6.jpg", "colour/progressive.jpg", "colour/cmyk-adobe.jpg", "colour/grey-8.png",
        "colour/palette-4-trns.png",
        "colour/rgb-16-interlaced.png", "animation/default-left-out.png", "animation/offset.gif", "animation/offset-interlaced.gif",
        "animation/offset-lossless.webp", "animation/offset-lossy.webp", "colour/lossy-alpha.webp", "orientation/webp-6.webp",
    ]
}
