/// The walk through the markers. See ITU-T T.81, Annex B.
struct JPEGWalk<Source: JPEGSource> {
    var source: Source
    private let limits: DecodeLimits
    private(set) var position = 0
    private var frame: JPEGStructure.Frame?
    private(set) var orientation = 1
    private var sawOrientation = false
    private var profileParts: [(index: Int, count: Int, bytes: ArraySlice<UInt8>)] = []
    private(set) var kept: [JPEGStructure.Piece] = []
    private(set) var strippedBytes = 0
    private(set) var isRegular = true

    private var scans = 0
    private(set) var scannedBytes = 0
    private var quantTables: Set<Int> = []
    private var huffmanTables: Set<Int> = []
    private var componentsSeen: Set<Int> = []
    private var restartInterval = 0

    init(_ source: Source, limits: DecodeLimits) {
        self.source = source
        self.limits = limits
    }

    /// All of it.
    mutating func structure() throws(ImageError) -> JPEGStructure {
        try run(toFrameOnly: false)
        guard let frame, scans > 0, componentsSeen.count >= frame.components.count else { throw .cutOff }
        return JPEGStructure(self, frame: frame)
    }

    /// What the frame header says, however the rest looks.
    mutating func size() throws(ImageError) -> (width: Int, height: Int) {
        try run(toFrameOnly: true)
        guard let frame else { throw .cutOff }
        return (frame.width, frame.height)
    }

    private mutating func run(toFrameOnly: Bool) throws(ImageError) {
        guard source.byte(at: 0) == 0xFF, source.byte(at: 1) == 0xD8 else { throw .damaged }
        position = 2
        keep(0..<2)
        while true {
            let (code, start) = try nextMarker()
            if code == 0xD9 {
                keep(start..<position)
                return
            }
            try segment(code, from: start)
            if toFrameOnly && frame != nil { return }
        }
    }

    /// Steps over the next marker; returns its code and where its 0xFF stands.
    private mutating func nextMarker() throws(ImageError) -> (code: UInt8, start: Int) {
        while let byte = source.byte(at: position), byte != 0xFF {
            // Decoders skip stray bytes between segments; a stripped copy would carry them along unchecked.
            isRegular = false
            position += 1
        }
        while source.byte(at: position) == 0xFF { position += 1 }
        guard let code = source.byte(at: position) else { throw .cutOff }
        position += 1
        return (UInt8(code), position - 2)
    }

    private mutating func segment(_ code: UInt8, from start: Int) throws(ImageError) {
        switch code {
        case 0x01, 0xD0...0xD7, 0x00:
            isRegular = false  // a marker without content where none belongs
            return
        case 0xD8:
            throw .damaged
        default:
            break
        }
        guard let high = source.byte(at: position), let low = source.byte(at: position + 1) else { throw .cutOff }
        let length = high << 8 | low
        guard length >= 2 else { throw .damaged }
        let end = position + length
        guard end <= source.count else { throw .cutOff }
        // Its indices are its own: they say nothing about where in the source it stands.
        let content = source.part((position + 2)..<end)
        let whole = start..<end
        position = end
        switch code {
        case 0xC0...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF:
            try frameHeader(code, content)
            keep(whole)
        case 0xC4:
            huffmanTables(content)
            keep(whole)
        case 0xDB:
            quantTables(content)
            keep(whole)
        case 0xDD:
            restartInterval = content.bigEndian16(at: content.startIndex) ?? 0
            if content.count != 2 { isRegular = false }
            keep(whole)
        case 0xDA:
            try scan(content, from: start)
        case 0xE0:
            jfif(content, whole)
        case 0xE1:
            exif(content)
            strippedBytes += whole.count
        case 0xE2 where content.spells("ICC_PROFILE\0", at: content.startIndex) && content.count >= 14:
            let index = Int(content[content.startIndex + 12])
            let count = Int(content[content.startIndex + 13])
            // They are counted in one byte: with one more than that they make no profile.
            if profileParts.count < 256 { profileParts.append((index, count, content.dropFirst(14))) }
            keep(whole)
        case 0xEE where content.spells("Adobe", at: content.startIndex):
            // Its five fields and nothing else: what stands behind them is nobody's business, and with less some decoders refuse the file.
            if content.count != 12 { isRegular = false }
            keep(whole)
        case 0xE2...0xEF, 0xFE:
            strippedBytes += whole.count
        default:
            // Among them arithmetic coding's conditions, which no file that passes has a use for.
            isRegular = false
            keep(whole)
        }
    }

    private mutating func keep(_ range: Range<Int>) {
        if case .bytes(let last) = kept.last, last.upperBound == range.lowerBound {
            kept[kept.count - 1] = .bytes(last.lowerBound..<range.upperBound)
        } else {
            kept.append(.bytes(range))
        }
    }

    private mutating func frameHeader(_ code: UInt8, _ content: ArraySlice<UInt8>) throws(ImageError) {
        guard frame == nil else { throw .damaged }
        let at = content.startIndex
        guard content.count >= 6, let height = content.bigEndian16(at: at + 1), let width = content.bigEndian16(at: at + 3) else {
            throw .damaged
        }
        let precision = Int(content[at])
        let count = Int(content[at + 5])
        try limits.check(width: width, height: height)
        let coding: JPEGStructure.Coding
        switch code {
        case 0xC0, 0xC1: coding = .common(progressive: false)
        case 0xC2: coding = .common(progressive: true)
        case 0xC9, 0xCA: coding = .arithmetic
        case 0xC3, 0xC7, 0xCB, 0xCF: throw .unsupportedVariant("it is a lossless JPEG")
        default: throw .unsupportedVariant("it is a hierarchical JPEG")
        }
        guard precision == 8 else { throw .unsupportedVariant("it is a JPEG with \(precision) bits a channel") }
        guard content.count == 6 + 3 * count, (1...4).contains(count) else { throw .damaged }
        var components: [JPEGStructure.Component] = []
        for index in 0..<count {
            let entry = at + 6 + 3 * index
            let factors = Int(content[entry + 1])
            let component = JPEGStructure.Component(
                identifier: Int(content[entry]), horizontal: factors >> 4, vertical: factors & 15, quantTable: Int(content[entry + 2]))
            guard (1...4).contains(component.horizontal), (1...4).contains(component.vertical), component.quantTable < 4 else {
                throw .damaged
            }
            if components.contains(where: { $0.identifier == component.identifier }) { isRegular = false }
            components.append(component)
        }
        let widest = components.map(\.horizontal).max() ?? 1
        let tallest = components.map(\.vertical).max() ?? 1
        var leastBits = 0
        for component in components {
            let across = (width * component.horizontal + widest * 8 - 1) / (widest * 8)
            let down = (height * component.vertical + tallest * 8 - 1) / (tallest * 8)
            leastBits += across * down
        }
        frame = JPEGStructure.Frame(
            width: width, height: height, precision: precision, coding: coding, components: components, leastBits: leastBits)
    }

    private mutating func huffmanTables(_ content: ArraySlice<UInt8>) {
        var at = content.startIndex
        while at < content.endIndex {
            guard at + 17 <= content.endIndex else { break }
            let name = Int(content[at])
            let counts = content[(at + 1)..<(at + 17)]
            let symbols = counts.reduce(0) { $0 + Int($1) }
            if !Self.makesCode(counts) { isRegular = false }
            // T.81 F.1.2.1: no DC difference has more than eleven bits; decoders take up to fifteen.
            if name >> 4 == 0, content[(at + 17)...].prefix(symbols).contains(where: { $0 > 15 }) { isRegular = false }
            if name & 15 > 3 || name >> 4 > 1 || symbols > 256 { isRegular = false }
            huffmanTables.insert(name)
            at += 17 + symbols
        }
        if at != content.endIndex { isRegular = false }
    }

    /// Whether so many codes of each length can be told apart; none may be all ones (T.81 C.2).
    private static func makesCode(_ counts: ArraySlice<UInt8>) -> Bool {
        var (next, length) = (0, 0)
        for count in counts {
            (next, length) = (next << 1 + Int(count), length + 1)
            if count > 0, next >= 1 << length { return false }
        }
        return true
    }

    private mutating func quantTables(_ content: ArraySlice<UInt8>) {
        var at = content.startIndex
        while at < content.endIndex {
            let name = Int(content[at])
            if name & 15 > 3 || name >> 4 > 1 { isRegular = false }
            quantTables.insert(name & 15)
            at += 1 + (name >> 4 == 0 ? 64 : 128)
        }
        if at != content.endIndex { isRegular = false }
    }

    private mutating func scan(_ content: ArraySlice<UInt8>, from start: Int) throws(ImageError) {
        guard let frame, let count = content.byte(at: content.startIndex), content.count == 4 + 2 * count, (1...4).contains(count) else {
            throw .damaged
        }
        scans += 1
        if scans > limits.scans { throw .tooManyScans(limit: limits.scans) }
        let parameters = content.endIndex - 3
        let firstCoefficient = Int(content[parameters])
        let lastCoefficient = Int(content[parameters + 1])
        let isProgressive = if case .common(progressive: true) = frame.coding { true } else { false }
        var blocksAcross = 0
        var blocksDown = 0
        var blocksInUnit = 0
        for index in 0..<count {
            let identifier = Int(content[content.startIndex + 1 + 2 * index])
            let tables = Int(content[content.startIndex + 2 + 2 * index])
            guard let component = frame.components.first(where: { $0.identifier == identifier }) else { throw .damaged }
            if firstCoefficient == 0 { componentsSeen.insert(identifier) }
            if !quantTables.contains(component.quantTable) { isRegular = false }
            if case .common = frame.coding {
                let refines = isProgressive && Int(content[parameters + 2]) >> 4 > 0
                let needsDC = firstCoefficient == 0 && !refines
                let needsAC = lastCoefficient > 0
                if needsDC && !huffmanTables.contains(tables >> 4) || needsAC && !huffmanTables.contains(0x10 | tables & 15) {
                    isRegular = false
                }
            }
            blocksAcross = component.horizontal
            blocksDown = component.vertical
            blocksInUnit += blocksAcross * blocksDown
        }
        if isProgressive
            ? !Self.isProgressiveStep(content[parameters...], components: count) : (firstCoefficient != 0 || lastCoefficient != 63)
        {
            isRegular = false
        }
        // T.81 B.2.3: no more than ten blocks in a unit.
        if count > 1, blocksInUnit > 10 { isRegular = false }

        var restarts: Int64 = 0
        var inOrder: Int32 = 1
        let end = source.scanEnd(from: position, &restarts, &inOrder)
        guard end < source.count else { throw .cutOff }
        scannedBytes += end - position
        if restartInterval > 0 {
            let widest = frame.components.map(\.horizontal).max() ?? 1
            let tallest = frame.components.map(\.vertical).max() ?? 1
            // A scan of one component counts its own blocks; one of several counts the units they form together.
            let unitWidth = count == 1 ? widest * 8 / max(blocksAcross, 1) : widest * 8
            let unitHeight = count == 1 ? tallest * 8 / max(blocksDown, 1) : tallest * 8
            let units = ((frame.width + unitWidth - 1) / unitWidth) * ((frame.height + unitHeight - 1) / unitHeight)
            let expected = (units + restartInterval - 1) / restartInterval - 1
            if inOrder == 0 || restarts < expected || restarts > expected + 1 { isRegular = false }
        } else if restarts > 0 {
            isRegular = false
        }
        keep(start..<end)
        position = end
    }

    /// T.81 G.1.1.1.1 and G.1.2: the first coefficient alone, of any components, or others of one; each bit once, from the highest down.
    private static func isProgressiveStep(_ parameters: ArraySlice<UInt8>, components: Int) -> Bool {
        let at = parameters.startIndex
        let (first, last, bits) = (parameters[at], parameters[at + 1], parameters[at + 2])
        let (before, now) = (bits >> 4, bits & 15)
        return (first == 0 ? last == 0 : first <= last && last <= 63 && components == 1) && now <= 13 && (before == 0 || before == now + 1)
    }

    private mutating func jfif(_ content: ArraySlice<UInt8>, _ whole: Range<Int>) {
        guard content.spells("JFIF\0", at: content.startIndex), content.count >= 14 else {
            strippedBytes += whole.count
            return
        }
        if content.count == 14 && content[content.startIndex + 12] == 0 && content[content.startIndex + 13] == 0 {
            keep(whole)
            return
        }
        kept.append(.jfif([0xFF, 0xE0, 0, 16] + content.prefix(12) + [0, 0]))
        strippedBytes += content.count - 14
    }

    private mutating func exif(_ content: ArraySlice<UInt8>) {
        // What stands behind pixels turns nothing: no viewer looks there.
        guard !sawOrientation, scans == 0, content.spells("Exif\0", at: content.startIndex), content.count > 6 else { return }
        orientation = EXIFOrientation.read(content.dropFirst(6))
        sawOrientation = true
    }

    /// The ICC profile, if its segments are complete and their numbers make sense.
    func assembledProfile() -> [UInt8]? {
        guard let first = profileParts.first, first.count == profileParts.count else { return nil }
        let ordered = profileParts.sorted { $0.index < $1.index }
        guard ordered.enumerated().allSatisfy({ $0.element.index == $0.offset + 1 && $0.element.count == first.count }) else { return nil }
        return ordered.reduce(into: []) { $0 += $1.bytes }
    }
}

extension ImageError {
    fileprivate static let cutOff = ImageError.broken("its data ends too early")
    fileprivate static let damaged = ImageError.broken("its data is damaged")
}
