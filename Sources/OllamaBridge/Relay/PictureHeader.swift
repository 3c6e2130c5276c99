import HTTPTypes
import Images
import Translate

/// A short header that says what happened to a request's pictures.
enum PictureHeader {
    static let name = HTTPField.Name("X-OllamaBridge-Images")!

    /// The most pictures that are spelled out; headers have limits too.
    private static let mostShown = 8

    static func fields(_ facts: [PictureFact]) -> HTTPFields {
        guard !facts.isEmpty else { return [:] }
        var parts = facts.prefix(mostShown).map(summary)
        if facts.count > mostShown { parts.append("+\(facts.count - mostShown) more") }
        return [name: parts.joined(separator: ", ")]
    }

    static func summary(_ fact: PictureFact) -> String {
        switch fact.outcome {
        case .sent(let report, _, let fromCache):
            let actions = report.actions.map(\.name).joined(separator: "+")
            return "\(report.sourceFormat.rawValue) \(report.sourceWidth)x\(report.sourceHeight) -> "
                + "\(report.width)x\(report.height) \(report.bytes)B \(actions)\(fromCache ? " cached" : "")"
        case .notice: return "left out"
        case .rejected: return "rejected"
        case .described: return "described"
        }
    }
}
