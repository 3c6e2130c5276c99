internal import CCodecs

/// The short way, without leaving the colours that JPEG and lossy WebP both store.
extension Renderer {
    /// The picture by its planes; nil if it stores its colours otherwise than ours will be.
    func renderPlanes() throws(ImageError) -> Rendered? {
        // Turned round, an odd edge would begin with half a pair of pixels, and its colours would lie one pixel beside it.
        guard picture.orientation == 1 || size.width % 2 == 0 && size.height % 2 == 0 else { return nil }
        if let jpeg = picture.jpeg { return try renderPlanes(of: jpeg) }
        return try renderWebPPlanes()
    }

    private func renderPlanes(of jpeg: JPEGStructure) throws(ImageError) -> Rendered? {
        guard [.grey, .both, .horizontal].contains(jpeg.subsampling) else { return nil }
        let stored = PixelSize(width: picture.width, height: picture.height)
        guard let planes = try unsafe Planes.read(bytes, from: stored, to: size, work) else { return nil }
        return try rendered(planes, Setting())
    }

    private func renderWebPPlanes() throws(ImageError) -> Rendered? {
        guard let payload = picture.wholeWebP else { return nil }
        let webp = unsafe UnsafeBufferPointer(rebasing: bytes[payload])
        var setting = Setting()
        if case .colour(let red, let green, let blue) = target.background {
            setting.backdrop = Backdrop(red: red, green: green, blue: blue)
        }
        while true {
            guard let reader = try unsafe WebPReader(lossy: webp, size, work) else { return nil }
            let backdrop: Backdrop = if let backdrop = setting.backdrop { backdrop } else { try .automatic(for: reader.look()) }
            let (planes, stats) = try reader.finish(on: backdrop)
            setting.isTransparent = stats.transparent_rows > 0
            setting.backdrop = backdrop
            if target.background == .automatic, setting.isTransparent {
                let right = Backdrop.automatic(for: stats)
                // Nearly white, or not, only became clear at the end.
                if right != backdrop {
                    setting.backdrop = right
                    continue
                }
            }
            return try rendered(planes, setting)
        }
    }

    private func rendered(_ planes: Planes, _ settled: Setting) throws(ImageError) -> Rendered {
        var setting = settled
        setting.subsampling = planes.isGrey ? .grey : .both
        settleProfile(&setting, profile)
        let found = try search(planes, setting)
        return rendered(found.jpeg, quality: found.quality, size: found.size.turned(picture.orientation), setting)
    }
}
