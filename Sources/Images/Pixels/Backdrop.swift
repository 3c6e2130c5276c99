internal import CCodecs

/// The colour that transparent parts are laid onto.
struct Backdrop: Hashable {
    let red: UInt8
    let green: UInt8
    let blue: UInt8

    static let white = Backdrop(red: 255, green: 255, blue: 255)
    static let dark = Backdrop(red: 32, green: 32, blue: 32)

    var isGrey: Bool { red == green && green == blue }

    /// White; dark when there is something transparent and what is visible has a mean luminance over 80 %.
    static func automatic(for stats: cc_alpha_stats) -> Backdrop {
        stats.transparent_rows > 0 && stats.visible > 0 && stats.luminance > stats.visible * 204 ? .dark : .white
    }
}
