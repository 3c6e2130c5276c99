internal import CCodecs

/// The colour that transparent parts are laid onto.
struct Backdrop: Hashable {
    let red: UInt8
    let green: UInt8
    let blue: UInt8

    static let white = Backdrop(red: 255, green: 255, blue: 255)
    static let dark = Backdrop(red: 32, green: 32, blue: 32)

    var isGrey: Bool { red == green && green == blue }

    /// The colour as JPEG stores it: brightness, then how much bluer and redder than grey (JFIF 1.02).
    var planes: [UInt8] {
        let (red, green, blue) = (Double(red), Double(green), Double(blue))
        let parts = [
            0.299 * red + 0.587 * green + 0.114 * blue,
            128 - 0.168736 * red - 0.331264 * green + 0.5 * blue,
            128 + 0.5 * red - 0.418688 * green - 0.081312 * blue,
        ]
        return parts.map { UInt8(min(max($0.rounded(), 0), 255)) }
    }

    /// White; dark when there is something transparent and what is visible has a mean luminance over 80 %.
    static func automatic(for stats: cc_alpha_stats) -> Backdrop {
        stats.transparent_rows > 0 && stats.visible > 0 && stats.luminance > stats.visible * 204 ? .dark : .white
    }
}
