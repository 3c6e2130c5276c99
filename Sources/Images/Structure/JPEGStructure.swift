private import CCodecs

/// A JPEG taken apart marker by marker, scans included, without decoding a pixel.
struct JPEGStructure {
    /// How the coefficients are coded.
    enum Coding {
        /// Baseline, extended or progressive with Huffman codes: what every decoder reads.
        case common(progressive: Bool)
        /// Arithmetic codes: we can read it, others may not.
        case arithmetic
    }

    struct Component {
        let identifier: Int
        let horizontal: Int
        let vertical: Int
        let quantTable: Int
    }

    let width: Int
    let height: Int
    let precision: Int
    let coding: Coding
    let components: [Component]
    /// EXIF orientation, 1 to 8.
    private(set) var orientation = 1
    /// The ICC profile, put together from its segments.
    private(set) var profile: [UInt8]?
    /// What a stripped copy consists of, in order.
    private(set) var kept: [Piece] = []
    /// Bytes of metadata that a stripped copy leaves out.
    private(set) var strippedBytes = 0
    /// Bytes behind the end of the picture.
    private(set) var trailingBytes = 0
    /// Nothing odd was seen: every table is there, scans have a plausible length, no bytes between segments.
    private(set) var isRegular = true

    enum Piece {
        case bytes(Range<Int>)
        /// A JFIF header without the thumbnail it had.
        case jfif([UInt8])
    }

    var subsampling: ChromaSubsampling {
        if components.count == 1 { return .grey }
        guard components.count == 3, let luma = components.first,
            components.dropFirst().allSatisfy({ $0.horizontal == 1 && $0.vertical == 1 })
        else { return .other }
        return switch (luma.horizontal, luma.vertical) {
        case (1, 1): ChromaSubsampling.none
        case (2, 1): .horizontal
        case (2, 2): .both
        default: .other
        }
    }
}

extension JPEGStructure {
    /// Takes a JPEG apart.
    ///
    /// - Throws: `ImageError.broken` if it is cut off or makes no sense; `.unsupportedVariant` for what cannot be decoded; limits that are exceeded.
    init(walking bytes: [UInt8], limits: DecodeLimits) throws(ImageError) {
        var walk = JPEGWalk(bytes: bytes, limits: limits)
        try walk.run(toFrameOnly: false)
        self = try walk.structure()
    }

    /// Reads only as far as the frame header.
    static func size(of bytes: [UInt8], limits: DecodeLimits) throws(ImageError) -> (width: Int, height: Int) {
        var walk = JPEGWalk(bytes: bytes, limits: limits)
        try walk.run(toFrameOnly: true)
        guard let frame = walk.frame else { throw .broken("its data ends too early") }
        return (frame.width, frame.height)
    }

    fileprivate init(_ walk: JPEGWalk, frame: JPEGWalk.Frame) {
        width = frame.width
        height = frame.height
        precision = frame.precision
        coding = frame.coding
        components = frame.components
        orientation = walk.orientation
        profile = walk.assembledProfile()
        kept = walk.kept
        strippedBytes = walk.strippedBytes
        trailingBytes = walk.bytes.count - walk.position
        isRegular = walk.isRegular
    }
}

/// The walk through the markers. See ITU-T T.81, Annex B.
private struct JPEGWalk {
    struct Frame {
        let width: Int
        let height: Int
        let precision: Int
        let coding: JPEGStructure.Coding
        let components: [JPEGStructure.Component]
        /// Least bits of entropy-coded data a whole picture has: one for every block.
        let leastBits: Int
    }

    let bytes: [UInt8]
    let limits: DecodeLimits
    var position = 0
    var frame: Frame?
    var orientation = 1
    var sawOrientation = false
    var profileParts: [(index: Int, count: Int, range: Range<Int>)] = []
    var kept: [JPEGStructure.Piece] = []
    var strippedBytes = 0
    var isRegular = true

    private var scans = 0
    private var scannedBytes = 0
    private var quantTables: Set<Int> = []
    private var huffmanTables: Set<Int> = []
    private var componentsSeen: Set<Int> = []
    private var restartInterval = 0

    init(bytes: [UInt8], limits: DecodeLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    static let cutOff = ImageError.broken("its data ends too early")
    static let damaged = ImageError.broken("its data is damaged")

    mutating func run(toFrameOnly: Bool) throws(ImageError) {
        guard bytes.count >= 2, bytes[0] == 0xFF, bytes[1] == 0xD8 else { throw Self.damaged }
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
        while position < bytes.count, bytes[position] != 0xFF {
            // Decoders skip stray bytes between segments; a stripped copy would carry them along unchecked.
            isRegular = false
            position += 1
        }
        while position < bytes.count, bytes[position] == 0xFF { position += 1 }
        guard position < bytes.count else { throw Self.cutOff }
        position += 1
        return (bytes[position - 1], position - 2)
    }

    private mutating func segment(_ code: UInt8, from start: Int) throws(ImageError) {
        switch code {
        case 0x01, 0xD0...0xD7, 0x00:
            isRegular = false  // a marker without content where none belongs
            return
        case 0xD8:
            throw Self.damaged
        default:
            break
        }
        guard let length = bytes.bigEndian16(at: position) else { throw Self.cutOff }
        guard length >= 2 else { throw Self.damaged }
        let end = position + length
        guard end <= bytes.count else { throw Self.cutOff }
        let content = (position + 2)..<end
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
            restartInterval = bytes.bigEndian16(at: content.lowerBound) ?? 0
            if content.count != 2 { isRegular = false }
            keep(whole)
        case 0xDA:
            try scan(content, from: start)
        case 0xE0:
            jfif(content, whole)
        case 0xE1:
            exif(content)
            strippedBytes += whole.count
        case 0xE2 where bytes.spells("ICC_PROFILE\0", at: content.lowerBound) && content.count >= 14:
            let index = Int(bytes[content.lowerBound + 12])
            let count = Int(bytes[content.lowerBound + 13])
            profileParts.append((index, count, (content.lowerBound + 14)..<content.upperBound))
            keep(whole)
        case 0xEE where bytes.spells("Adobe", at: content.lowerBound):
            keep(whole)
        case 0xE2...0xEF, 0xFE:
            strippedBytes += whole.count
        case 0xCC:
            keep(whole)
        default:
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

    private mutating func frameHeader(_ code: UInt8, _ content: Range<Int>) throws(ImageError) {
        guard frame == nil else { throw Self.damaged }
        let at = content.lowerBound
        guard content.count >= 6, let height = bytes.bigEndian16(at: at + 1), let width = bytes.bigEndian16(at: at + 3) else {
            throw Self.damaged
        }
        let precision = Int(bytes[at])
        let count = Int(bytes[at + 5])
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
        guard content.count == 6 + 3 * count, (1...4).contains(count) else { throw Self.damaged }
        var components: [JPEGStructure.Component] = []
        for index in 0..<count {
            let entry = at + 6 + 3 * index
            let factors = Int(bytes[entry + 1])
            let component = JPEGStructure.Component(
                identifier: Int(bytes[entry]), horizontal: factors >> 4, vertical: factors & 15, quantTable: Int(bytes[entry + 2]))
            guard (1...4).contains(component.horizontal), (1...4).contains(component.vertical), component.quantTable < 4 else {
                throw Self.damaged
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
        frame = Frame(
            width: width, height: height, precision: precision, coding: coding, components: components, leastBits: leastBits)
    }

    private mutating func huffmanTables(_ content: Range<Int>) {
        var at = content.lowerBound
        while at < content.upperBound {
            guard at + 17 <= content.upperBound else { break }
            let name = Int(bytes[at])
            let symbols = bytes[(at + 1)..<(at + 17)].reduce(0) { $0 + Int($1) }
            if name & 15 > 3 || name >> 4 > 1 || symbols > 256 { isRegular = false }
            huffmanTables.insert(name)
            at += 17 + symbols
        }
        if at != content.upperBound { isRegular = false }
    }

    private mutating func quantTables(_ content: Range<Int>) {
        var at = content.lowerBound
        while at < content.upperBound {
            let name = Int(bytes[at])
            if name & 15 > 3 || name >> 4 > 1 { isRegular = false }
            quantTables.insert(name & 15)
            at += 1 + (name >> 4 == 0 ? 64 : 128)
        }
        if at != content.upperBound { isRegular = false }
    }

    private mutating func scan(_ content: Range<Int>, from start: Int) throws(ImageError) {
        guard let frame, let count = bytes.byte(at: content.lowerBound), content.count == 4 + 2 * count, (1...4).contains(count) else {
            throw Self.damaged
        }
        scans += 1
        if scans > limits.scans { throw .tooManyScans(limit: limits.scans) }
        let parameters = content.upperBound - 3
        let firstCoefficient = Int(bytes[parameters])
        let lastCoefficient = Int(bytes[parameters + 1])
        let isProgressive = if case .common(progressive: true) = frame.coding { true } else { false }
        var blocksAcross = 0
        var blocksDown = 0
        for index in 0..<count {
            let identifier = Int(bytes[content.lowerBound + 1 + 2 * index])
            let tables = Int(bytes[content.lowerBound + 2 + 2 * index])
            guard let component = frame.components.first(where: { $0.identifier == identifier }) else { throw Self.damaged }
            if firstCoefficient == 0 { componentsSeen.insert(identifier) }
            if !quantTables.contains(component.quantTable) { isRegular = false }
            if case .common = frame.coding {
                let refines = isProgressive && Int(bytes[parameters + 2]) >> 4 > 0
                let needsDC = firstCoefficient == 0 && !refines
                let needsAC = lastCoefficient > 0
                if needsDC && !huffmanTables.contains(tables >> 4) || needsAC && !huffmanTables.contains(0x10 | tables & 15) {
                    isRegular = false
                }
            }
            blocksAcross = component.horizontal
            blocksDown = component.vertical
        }
        if isProgressive ? (firstCoefficient > lastCoefficient || lastCoefficient > 63) : (firstCoefficient != 0 || lastCoefficient != 63) {
            isRegular = false
        }

        var restarts: Int64 = 0
        var inOrder: Int32 = 1
        let end = unsafe bytes.withUnsafeBufferPointer { buffer in
            unsafe cc_scan_end(buffer.baseAddress, buffer.count, content.upperBound, &restarts, &inOrder)
        }
        guard end < bytes.count else { throw Self.cutOff }
        scannedBytes += end - content.upperBound
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

    private mutating func jfif(_ content: Range<Int>, _ whole: Range<Int>) {
        guard bytes.spells("JFIF\0", at: content.lowerBound), content.count >= 14 else {
            strippedBytes += whole.count
            return
        }
        if content.count == 14 && bytes[content.lowerBound + 12] == 0 && bytes[content.lowerBound + 13] == 0 {
            keep(whole)
            return
        }
        let head = bytes[content.lowerBound..<(content.lowerBound + 12)]
        kept.append(.jfif([0xFF, 0xE0, 0, 16] + head + [0, 0]))
        strippedBytes += content.count - 14
    }

    private mutating func exif(_ content: Range<Int>) {
        guard !sawOrientation, bytes.spells("Exif\0", at: content.lowerBound), content.count > 6 else { return }
        orientation = EXIFOrientation.read(bytes[(content.lowerBound + 6)..<content.upperBound])
        sawOrientation = true
    }

    /// The ICC profile, if its segments are complete and their numbers make sense.
    func assembledProfile() -> [UInt8]? {
        guard let first = profileParts.first, first.count == profileParts.count else { return nil }
        let ordered = profileParts.sorted { $0.index < $1.index }
        guard ordered.enumerated().allSatisfy({ $0.element.index == $0.offset + 1 && $0.element.count == first.count }) else { return nil }
        return ordered.reduce(into: []) { $0 += bytes[$1.range] }
    }

    func structure() throws(ImageError) -> JPEGStructure {
        guard let frame, scans > 0 else { throw Self.cutOff }
        if componentsSeen.count < frame.components.count { throw Self.cutOff }
        var result = JPEGStructure(self, frame: frame)
        // A header that promises millions of blocks and brings a hundred bytes is not whole, whatever its last marker says.
        if case .common = frame.coding, scannedBytes < frame.leastBits / 8 { result.markIrregular() }
        return result
    }
}

extension JPEGStructure {
    fileprivate mutating func markIrregular() { isRegular = false }

    /// What a stripped copy has in common with what was walked: its last piece.
    func commonEnd(in stripped: [UInt8]) -> NormalizedImage.CommonEnd? {
        guard case .bytes(let range) = kept.last else { return nil }
        return NormalizedImage.CommonEnd(start: stripped.count - range.count, sourceStart: range.lowerBound)
    }

    /// Takes metadata and trailing bytes out, in place: a picture is read from its start, so nothing lands on what is still to be moved.
    ///
    /// - Parameter bytes: Those that were walked.
    func strip(_ bytes: inout [UInt8]) {
        var end = 0
        for piece in kept {
            switch piece {
            case .bytes(let range):
                if range.lowerBound != end { bytes.move(range, to: end) }
                end += range.count
            case .jfif(let header):
                for byte in header {
                    bytes[end] = byte
                    end += 1
                }
            }
        }
        bytes.removeLast(bytes.count - end)
    }
}

extension [UInt8] {
    fileprivate mutating func move(_ range: Range<Int>, to start: Int) {
        precondition(start >= 0 && start <= range.lowerBound && range.upperBound <= count)
        unsafe withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            unsafe (base + start).copyMemory(from: base + range.lowerBound, byteCount: range.count)
        }
    }
}
