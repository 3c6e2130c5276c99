/// Finds how a picture must be turned to stand upright.
///
/// EXIF comes from cameras, editors and messengers of every age. Whatever does not parse counts as absent: a picture is
/// shown as stored rather than refused for a broken note about it.
enum EXIFOrientation {
    /// Most directory entries looked at; cameras write about a dozen.
    private static let maxEntries = 1000

    /// Reads the orientation from a TIFF block.
    ///
    /// - Parameter tiff: The block, beginning with `II` or `MM`; a leading `Exif\0\0`, which some writers leave in PNG and WebP, is skipped.
    /// - Returns: 2 to 8; 1 if it stands upright, says nothing, or makes no sense.
    static func read(_ tiff: ArraySlice<UInt8>) -> Int {
        var base = tiff.startIndex
        if tiff.spells("Exif\0\0", at: base) { base += 6 }
        let isLittle = tiff.spells("II", at: base)
        guard isLittle || tiff.spells("MM", at: base) else { return 1 }
        func short(_ offset: Int) -> Int? {
            isLittle ? tiff.littleEndian16(at: offset) : tiff.bigEndian16(at: offset)
        }
        func long(_ offset: Int) -> Int? {
            isLittle ? tiff.littleEndian32(at: offset) : tiff.bigEndian32(at: offset)
        }
        guard short(base + 2) == 42, let offset = long(base + 4) else { return 1 }
        let directory = base + offset
        guard let count = short(directory) else { return 1 }
        for index in 0..<min(count, maxEntries) {
            let entry = directory + 2 + 12 * index
            guard let tag = short(entry) else { return 1 }
            guard tag == 0x0112 else { continue }
            // One value of type SHORT by the standard; BYTE, LONG and their signed brothers are seen too (Panasonic writes SLONG).
            let value =
                switch short(entry + 2) {
                case 1, 6: tiff.byte(at: entry + 8)
                case 3, 8: short(entry + 8)
                case 4, 9: long(entry + 8)
                default: nil as Int?
                }
            guard let value, (1...8).contains(value), long(entry + 4) == 1 else { return 1 }
            return value
        }
        return 1
    }
}
