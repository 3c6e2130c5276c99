import Images
import Synchronization
import Translate

/// Finds one picture in the cache, or makes it at once if that takes no decoding. On a thread for pictures.
struct PictureLookup: Sendable {
    enum Outcome: Sendable {
        case done(PictureConverter.Converted)
        case missing(bytes: GivenAway, header: ImageHeader, digest: PictureDigest)
    }

    /// A picture as it was given.
    private struct Given {
        var bytes: [UInt8]
        /// It came as text, spelt as ``Base64/encode(_:)`` would.
        var isStandard = false
    }

    let source: ImageSource
    let target: ImageTarget
    let pixels: PixelAllowance
    let named: Bool
    let limits: DecodeLimits
    let cache: PictureCache

    /// - Parameters:
    ///   - text: What the cache says of it, if it was asked.
    ///   - bytes: The picture's bytes, if they were fetched already.
    func run(_ text: PictureCache.Text?, fetched bytes: [UInt8]?) throws -> Outcome {
        let text = text ?? source.encodedText.map(cache.text)
        if let text, let done = try known(text) ?? stripped(text) { return .done(done) }
        var given = try bytes.map { Given(bytes: $0) } ?? decode()
        let header = try ImageFault.from { () throws(ImageError) in try ImageHeader.read(given.bytes, limits: limits) }
        if let text, !given.isStandard, let done = try stripped(&given.bytes, text) { return .done(done) }
        let digest = digest(of: given.bytes, text)
        if let found = cache.find(digest, for: target) {
            return .done(.init(picture: PreparedPicture(found.made, of: text, digest), fromCache: true))
        }
        try pixels.take(header.pixelCount)
        return .missing(bytes: GivenAway(given.bytes), header: header, digest: digest)
    }

    /// A chat repeats its pictures in every turn: a text that came before need be neither decoded nor hashed.
    private func known(_ text: PictureCache.Text) throws -> PictureConverter.Converted? {
        guard let found = cache.find(text, for: target) else { return nil }
        let digest = named ? try found.digest ?? digest(of: decode().bytes, text) : found.digest
        return .init(picture: PreparedPicture(found.made, of: text, digest), fromCache: true)
    }

    /// A JPEG that goes as it came, still text.
    private func stripped(_ text: PictureCache.Text) throws -> PictureConverter.Converted? {
        guard let base64 = text.base64, let jpeg = ImageNormalizer(limits: limits).strip(text: base64, for: target) else { return nil }
        try takePixels(jpeg.report)
        return keep(.stripped(jpeg), as: .text(text.tag), of: text, named ? digest(of: try decode().bytes, text) : nil)
    }

    /// The same in another spelling of base64.
    private func stripped(_ bytes: inout [UInt8], _ text: PictureCache.Text) throws -> PictureConverter.Converted? {
        let digest = named ? digest(of: bytes, text) : nil
        let stripped = try ImageFault.from { () throws(ImageError) in try ImageNormalizer(limits: limits).strip(&bytes, for: target) }
        guard let image = stripped else { return nil }
        try takePixels(image.report)
        return keep(.written(Base64.encode(image.jpeg), image.report), as: .text(text.tag), of: text, digest)
    }

    private func takePixels(_ report: ImageReport) throws { try pixels.take(report.sourceWidth * report.sourceHeight) }

    func keep(
        _ made: PictureCache.Made, as source: PictureCache.Key.Source, of text: PictureCache.Text?, _ digest: PictureDigest?
    ) -> PictureConverter.Converted {
        cache.store(made, for: PictureCache.Key(source: source, target: target))
        return .init(picture: PreparedPicture(made, of: text, digest), fromCache: false)
    }

    /// SHA-256 of the picture that a text is, remembered with the text.
    private func digest(of picture: [UInt8], _ text: PictureCache.Text?) -> PictureDigest {
        if let known = (text?.tag).flatMap(cache.digest) { return known }
        let digest = PictureDigest(of: picture)
        if let text { cache.note(text.tag, digest) }
        return digest
    }

    private func decode() throws -> Given {
        switch source {
        case .faulty(let fault): throw fault
        case .url: throw ImageFault.notBase64
        case .encoded(let text):
            // Four letters carry three bytes; text far over the limit is not even decoded.
            if text.count / 4 * 3 > limits.bytes + limits.bytes / 4 {
                let count = Base64.decodedCount(DataURL.payload(of: text) ?? text)
                throw ImageFault.tooLarge(figure: "\(count) bytes", limit: "\(limits.bytes) bytes")
            }
            guard let encoded = DataURL.payload(of: text), let decoded = Base64.decodeLenient(encoded) else { throw ImageFault.notBase64 }
            return Given(bytes: decoded.bytes, isStandard: decoded.isStandard)
        }
    }
}

/// Bytes that are taken out once, so that they are not kept for as long as the task that passed them on.
final class GivenAway: Sendable {
    private let bytes: Mutex<[UInt8]>

    init(_ bytes: [UInt8]) { self.bytes = Mutex(bytes) }

    func take() -> [UInt8] {
        bytes.withLock { bytes in
            defer { bytes = [] }
            return bytes
        }
    }
}

extension PictureCache.Text {
    fileprivate var base64: ArraySlice<UInt8>? { DataURL.payload(of: characters) }
}

extension PreparedPicture {
    /// - Parameter text: What the picture came as, if anything of it is to be sent on.
    fileprivate init(_ made: PictureCache.Made, of text: PictureCache.Text?, _ digest: PictureDigest?) {
        switch made {
        case .written(let base64, let report): self.init(base64: PictureBase64(head: base64), report: report, digest: digest)
        case .stripped(let jpeg):
            self.init(base64: jpeg.base64(from: text?.base64 ?? []), report: jpeg.report, digest: digest)
        }
    }
}

extension ImageSource {
    var encodedText: ArraySlice<UInt8>? {
        if case .encoded(let text) = self { text } else { nil }
    }
}
