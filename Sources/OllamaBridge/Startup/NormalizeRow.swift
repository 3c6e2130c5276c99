import Foundation
import Images
import Translate

/// What the normaliser did to one file.
struct NormalizeRow {
    var file: String
    var report: ImageReport?
    var error: String?

    init(file: String, report: ImageReport) {
        self.file = file
        self.report = report
    }

    init(file: String, error: String) {
        self.file = file
        self.error = error
    }

    var jsonLine: String {
        var object: JSONObject = ["file": .text(file)]
        for member in report.map(ImageReportJSON.object)?.members ?? [] { object[member.key] = member.value }
        object["error"] = error.map(JSONValue.text)
        return String(decoding: JSONWriter.bytes(.object(object)), as: UTF8.self)
    }

    private static let titles = ["file", "was", "is", "bytes", "quality", "what was done"]

    private var cells: [String] {
        guard let report else { return [file, "-", "-", "-", "-", error ?? ""] }
        return [
            file, "\(report.sourceFormat.rawValue) \(report.sourceWidth)×\(report.sourceHeight)", "\(report.width)×\(report.height)",
            "\(report.sourceBytes) → \(report.bytes)", report.quality.map(String.init) ?? "kept",
            report.actions.map(\.description).joined(separator: ", "),
        ]
    }

    static func table(_ rows: [NormalizeRow]) -> String {
        let lines = [titles] + rows.map(\.cells)
        let widths = titles.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { line in
            let padded = line.enumerated().map { column, cell in
                column == line.count - 1 ? cell : cell.padding(toLength: widths[column], withPad: " ", startingAt: 0)
            }
            return padded.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}

/// A progress bar on standard error, when there is a person to see it and more than one file to wait for.
struct ProgressLine {
    let total: Int
    private let isShown: Bool

    init(total: Int) {
        self.total = total
        isShown = total > 1 && isatty(2) == 1
    }

    func show(_ done: Int, _ name: String) {
        guard isShown else { return }
        let filled = done * 30 / total
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 30 - filled)
        write("\r\u{1B}[K\(bar) \(done + 1)/\(total) \(name.suffix(40))")
    }

    func clear() {
        if isShown { write("\r\u{1B}[K") }
    }

    private func write(_ text: String) { try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) }
}
