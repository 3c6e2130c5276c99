import HTTPTypes
import Images
import Translate

/// A short header that says what happened to a request's pictures.
enum PictureHeader {
    static let name = HTTPField.Name("X-OllamaBridge-Images")!

    /// The most pictures that are spelled out; headers and log lines have limits too.
    private static let mostShown = 8

    static func fields(_ facts: [PictureFact]) -> HTTPFields {
        facts.isEmpty ? [:] : [name: summaries(facts).joined(separator: ", ")]
    }

    static func summaries(_ facts: [PictureFact]) -> [String] {
        let shown = facts.prefix(mostShown).map(summary)
        return facts.count > mostShown ? shown + ["+\(facts.count - mostShown) more"] : shown
    }

    private static func summary(_ fact: PictureFact) -> String {
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
