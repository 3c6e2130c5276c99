extension String {
    /// For a log whose lines somebody reads in a terminal: without what paints it, and no longer than a line may be.
    var asOneLine: String {
        let longest = 2000
        var line = ""
        line.unicodeScalars.append(
            contentsOf: unicodeScalars.prefix(longest).map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 })
        return unicodeScalars.count > longest ? line + "…" : line
    }
}
