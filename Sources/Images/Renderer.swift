internal import CCodecs

/// Decodes a picture and turns its rows into JPEG: lays them onto a background, shrinks and encodes them as they come.
///
/// Nothing holds the whole picture unless it must: to be turned, or to be encoded more than once.
@safe struct Renderer {
    let picture: Picture
    let bytes: UnsafeBufferPointer<UInt8>
    let profile: [UInt8]?
    let target: ImageTarget
    let size: PixelSize
    /// Most bytes that must not be exceeded; nil means no limit.
    let maxBytes: Int?
    let work: WorkGuard

    struct Rendered {
        let jpeg: [UInt8]
        let quality: Int
        let subsampling: ChromaSubsampling
        /// Upright.
        let size: PixelSize
        let facts: cc_facts
        let backdrop: Backdrop?
        let profileBytes: Int
        let droppedProfileBytes: Int
    }

    private enum Pass {
        case encoded([UInt8])
        case bitmap(Bitmap)
        /// Nearly white, or not, only became clear at the end.
        case otherBackdrop(Backdrop)
        case overflowed
    }

    /// Facts settled before the first row is laid down.
    struct Setting {
        var facts = cc_facts()
        var backdrop: Backdrop?
        var subsampling = ChromaSubsampling.both
        var profile: [UInt8]?
        var droppedProfileBytes = 0
        var isTransparent = false
    }

    func render() throws(ImageError) -> Rendered {
        if let rendered = try renderPlanes() { return rendered }
        var backdrop: Backdrop?
        var keepsBitmap = picture.orientation != 1 || likelyOverflows
        while true {
            var setting = Setting()
            setting.backdrop = backdrop
            let pass = try self.pass(&setting, keepsBitmap: keepsBitmap)
            switch pass {
            case .otherBackdrop(let other):
                backdrop = other
            case .overflowed:
                keepsBitmap = true
                backdrop = setting.backdrop
            case .encoded(let jpeg):
                return rendered(jpeg, quality: target.quality, size: size.turned(picture.orientation), setting)
            case .bitmap(let bitmap):
                let found = try search(bitmap, setting)
                return rendered(found.jpeg, quality: found.quality, size: found.size.turned(picture.orientation), setting)
            }
        }
    }

    /// Whether a first encode will probably be too large, so that the bitmap is better kept: photos take about half a byte a pixel.
    private var likelyOverflows: Bool {
        guard let maxBytes = firstCap else { return false }
        return maxBytes < size.pixels / 2
    }

    /// A JPEG that was allowed as it came is not to grow by what is done to it.
    private var softCap: Int? {
        guard picture.format == .jpeg, unsafe bytes.count <= maxBytes ?? .max else { return nil }
        return unsafe bytes.count
    }

    private var firstCap: Int? { softCap ?? maxBytes }

    func rendered(_ jpeg: [UInt8], quality: Int, size: PixelSize, _ setting: Setting) -> Rendered {
        Rendered(
            jpeg: jpeg, quality: quality, subsampling: setting.subsampling, size: size, facts: setting.facts,
            backdrop: setting.isTransparent ? setting.backdrop : nil, profileBytes: setting.profile?.count ?? 0,
            droppedProfileBytes: setting.droppedProfileBytes)
    }

    func search(_ raster: some Raster, _ setting: Setting) throws(ImageError) -> Found {
        let lowest = min(max(target.minQuality, 1), max(target.quality, 1))
        let qualities = lowest...min(max(target.quality, lowest), 100)
        if let softCap {
            // What was coded coarser than the lowest quality that the limits may ask for loses nothing at its own.
            var smallest = Int.max
            let search = search(raster, setting, 1...qualities.upperBound)
            if let found = try search.bestQuality(maxBytes: softCap, of: raster, smallest: &smallest) { return found }
            // It was coded in ways that are not ours (see docs/decisions/0009): quality could not bring it there.
        }
        return try search(raster, setting, qualities).best(maxBytes: maxBytes)
    }

    private func search<Kept: Raster>(_ raster: Kept, _ setting: Setting, _ qualities: ClosedRange<Int>) -> FitSearch<Kept> {
        FitSearch(
            raster: raster, orientation: picture.orientation, profile: setting.profile, subsampling: setting.subsampling,
            qualities: qualities, maxBase64Bytes: target.maxBase64Bytes, work: work)
    }

    private func pass(_ setting: inout Setting, keepsBitmap: Bool) throws(ImageError) -> Pass {
        let holder = FrameHolder()
        defer { withExtendedLifetime(holder) {} }
        let source = try unsafe picture.open(bytes, for: size, work, inner: holder)
        let ahead = try LookAhead(source)
        settle(&setting, source, ahead)
        return try lay(source, ahead, &setting, keepsBitmap: keepsBitmap)
    }

    /// Decides everything that must be known before the first row is encoded.
    private func settle(_ setting: inout Setting, _ source: borrowing RowSource, _ ahead: borrowing LookAhead) {
        let facts = source.facts
        setting.facts = facts
        let hasAlpha = facts.channels == 2 || facts.channels == 4
        if hasAlpha && setting.backdrop == nil {
            switch target.background {
            case .colour(let red, let green, let blue): setting.backdrop = Backdrop(red: red, green: green, blue: blue)
            case .automatic: setting.backdrop = .automatic(for: ahead.alpha(width: source.width, channels: source.channels))
            }
        }
        if facts.channels == 1 || facts.channels == 2 && setting.backdrop?.isGrey != false {
            setting.subsampling = .grey
        } else if facts.channels == 2 {
            setting.subsampling = ChromaSubsampling.none
        } else if facts.was_subsampled == 0
            && (facts.has_few_colours != 0 || ahead.hasFewColours(width: source.width, channels: source.channels))
        {
            setting.subsampling = ChromaSubsampling.none
        }
        settleProfile(&setting, profile ?? source.profile())
    }

    /// Keeps a profile that is for the colours of the JPEG and leaves room for pixels.
    func settleProfile(_ setting: inout Setting, _ found: [UInt8]?) {
        guard let found else { return }
        let wanted: StaticString = setting.subsampling == .grey ? "GRAY" : "RGB "
        let room = min(work.limits.profileBytes, (maxBytes ?? .max) / 4)
        if found.spells(wanted, at: 16) && found.count <= room {
            setting.profile = found
        } else {
            setting.droppedProfileBytes = found.count
        }
    }

    /// Lays down all rows, into an encoder or a bitmap.
    private func lay(
        _ source: borrowing RowSource, _ ahead: borrowing LookAhead, _ setting: inout Setting, keepsBitmap: Bool
    ) throws(ImageError) -> Pass {
        let decoded = PixelSize(width: source.width, height: source.height)
        let channels = source.channels
        let isGrey = setting.subsampling == .grey
        var flattener = Flattener(width: decoded.width, channels: channels, backdrop: setting.backdrop ?? .white, isGrey: isGrey)
        let laidChannels = flattener.outChannels
        let packedChannels = isGrey ? 1 : 3
        let colour = isGrey ? CC_GREY : setting.facts.colour == CC_YCC ? CC_YCC : CC_RGB

        let shrinks = decoded != size
        let scaler: Scaler? = shrinks ? try Scaler(from: decoded, channels: laidChannels, to: size, limits: work.limits) : nil
        let bitmap = keepsBitmap ? try Bitmap(size, channels: packedChannels, colour: colour, limits: work.limits) : nil
        let settings = EncodingSettings(
            quality: target.quality, subsampling: setting.subsampling, profile: setting.profile, maxBytes: firstCap)
        let layout = !shrinks && laidChannels == 4 ? CC_IN_RGBX : colour.layout
        let encoder: JPEGEncoder? = keepsBitmap ? nil : try JPEGEncoder(size, layout: layout, settings: settings, work)
        let line = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: size.width * 4)
        defer { unsafe line.deallocate() }
        let lineStart = line.baseAddress!

        var next = 0
        for index in 0..<decoded.height {
            let stored = try unsafe index < ahead.rows ? ahead.row(index) : source.next()
            var row = unsafe flattener.lay(stored)
            if scaler != nil {
                let out = unsafe bitmap?.row(min(next, size.height - 1)) ?? lineStart
                guard unsafe scaler!.push(row, into: out) else { continue }
                unsafe row = UnsafePointer(out)
            } else if let bitmap {
                if laidChannels == 4 {
                    unsafe cc_pack_rgb(row, Int32(size.width), bitmap.row(index))
                } else {
                    unsafe bitmap.row(index).update(from: row, count: bitmap.rowBytes)
                }
            }
            next += 1
            if encoder != nil, try unsafe !encoder!.write(row, stride: size.width * 4, count: 1) { return .overflowed }
        }
        setting.isTransparent = flattener.stats.transparent_rows > 0
        if target.background == .automatic, setting.isTransparent {
            let right = Backdrop.automatic(for: flattener.stats)
            if right != setting.backdrop { return .otherBackdrop(right) }
        }
        if let bitmap { return .bitmap(bitmap) }
        guard let jpeg = try encoder!.finish() else { return .overflowed }
        return .encoded(jpeg)
    }
}

/// Lays rows with transparency onto a background, and counts what is transparent on the way.
@safe struct Flattener: ~Copyable {
    let outChannels: Int
    private(set) var stats = cc_alpha_stats()
    private let width: Int
    private let channels: Int
    private let isGrey: Bool
    private let backdrop: [UInt8]
    private let buffer: UnsafeMutableBufferPointer<UInt8>

    init(width: Int, channels: Int, backdrop: Backdrop, isGrey: Bool) {
        self.width = width
        self.channels = channels
        self.isGrey = isGrey
        self.backdrop = [backdrop.red, backdrop.green, backdrop.blue]
        outChannels =
            switch channels {
            case 2: isGrey ? 1 : 3
            default: channels
            }
        unsafe buffer = .allocate(capacity: channels % 2 == 0 ? width * 4 : 1)
    }

    deinit {
        unsafe buffer.deallocate()
    }

    /// The row on the background; lent until the next call.
    mutating func lay(_ row: UnsafePointer<UInt8>) -> UnsafePointer<UInt8> {
        guard channels % 2 == 0 else { return unsafe row }
        let opaque = unsafe cc_row_is_opaque(row, Int32(width), Int32(channels))
        unsafe cc_alpha_count(row, Int32(width), Int32(channels), opaque, &stats)
        if opaque != 0 && channels == 4 { return unsafe row }
        let out = unsafe buffer.baseAddress!
        unsafe cc_flatten(row, Int32(width), Int32(channels), backdrop, isGrey ? 1 : 0, out)
        return unsafe UnsafePointer(out)
    }
}
