import Fetch
import Images
import Synchronization
import Translate

/// Makes one picture ready to send: taken in, fetched if need be, looked up, converted.
struct PictureConverter: Sendable {
    let workers: PictureWorkers
    let fetcher: ImageFetcher
    let cache: PictureCache
    let limits: DecodeLimits

    /// A picture ready to send, and whether it came from the cache.
    struct Converted: Sendable {
        var picture: PreparedPicture
        var fromCache: Bool
    }

    private enum Lookup: Sendable {
        case done(Converted)
        case missing(bytes: GivenAway, header: ImageHeader, digest: PictureDigest)
    }

    /// A picture as it was given.
    private struct Given {
        var bytes: [UInt8]
        /// It came as text, spelt as ``Base64/encode(_:)`` would.
        var isStandard = false
    }

    /// What the cache knows pictures by, for those that came as text.
    func texts(of sources: [ImageSource]) async throws -> [PictureCache.Text?] {
        let cache = cache
        return try await workers.run { _ in sources.map { $0.encodedText.map(cache.text) } }
    }

    /// - Parameters:
    ///   - text: What `texts(of:)` says of it, if it was asked.
    ///   - bytes: The picture's bytes, if they were fetched already.
    ///   - pixels: What the request may still make us decode.
    ///   - named: Whether the picture's SHA-256 is wanted with it. Without extensions of the processor for it, that takes longer than all else that is done
    ///     to a JPEG that goes as it came.
    /// - Throws: ``ImageFault`` for whatever is wrong with the picture, `CancellationError`.
    func convert(
        _ source: ImageSource, text: PictureCache.Text? = nil, fetched bytes: [UInt8]?, to target: ImageTarget, pixels: PixelAllowance,
        named: Bool
    ) async throws -> Converted {
        let (limits, cache) = (limits, cache)
        let lookup: Lookup = try await workers.run { _ in
            // A chat repeats its pictures in every turn: a text that came before need be neither decoded nor hashed.
            let text = text ?? source.encodedText.map(cache.text)
            if let text, let found = cache.find(text, for: target) {
                let digest =
                    named ? try found.digest ?? Self.digest(of: Self.decode(source, limit: limits.bytes).bytes, text, cache) : found.digest
                return .done(Converted(picture: PreparedPicture(found.made, of: text, digest), fromCache: true))
            }
            if let text, let jpeg = text.base64.flatMap({ ImageNormalizer(limits: limits).strip(text: $0, for: target) }) {
                try pixels.take(jpeg.report.sourceWidth * jpeg.report.sourceHeight)
                let digest = named ? Self.digest(of: try Self.decode(source, limit: limits.bytes).bytes, text, cache) : nil
                return .done(Self.keep(.stripped(jpeg), for: .init(source: .text(text.tag), target: target), of: text, digest, cache))
            }
            var given = try bytes.map { Given(bytes: $0) } ?? Self.decode(source, limit: limits.bytes)
            let header = try Self.faults { () throws(ImageError) in try ImageHeader.read(given.bytes, limits: limits) }
            // In another spelling, text may still be a JPEG of that kind.
            if let text, !given.isStandard {
                let digest = named ? Self.digest(of: given.bytes, text, cache) : nil
                let stripped = try Self.faults { () throws(ImageError) in
                    try ImageNormalizer(limits: limits).strip(&given.bytes, for: target)
                }
                if let image = stripped {
                    try pixels.take(header.pixelCount)
                    let key = PictureCache.Key(source: .text(text.tag), target: target)
                    return .done(Self.keep(.written(Base64.encode(image.jpeg), image.report), for: key, of: text, digest, cache))
                }
            }
            let digest = Self.digest(of: given.bytes, text, cache)
            if let found = cache.find(digest, for: target) {
                return .done(Converted(picture: PreparedPicture(found.made, of: text, digest), fromCache: true))
            }
            try pixels.take(header.pixelCount)
            return .missing(bytes: GivenAway(given.bytes), header: header, digest: digest)
        }
        switch lookup {
        case .done(let converted): return converted
        case .missing(let bytes, let header, let digest):
            return try await workers.run(pixels: header.pixelCount) { isCancelled in
                let image = try Self.faults { () throws(ImageError) in
                    try ImageNormalizer(limits: limits).normalize(bytes.take(), to: target, isCancelled: isCancelled)
                }
                let key = PictureCache.Key(source: .bytes(digest), target: target)
                return Self.keep(.written(Base64.encode(image.jpeg), image.report), for: key, of: nil, digest, cache)
            }
        }
    }

    private static func keep(
        _ made: PictureCache.Made, for key: PictureCache.Key, of text: PictureCache.Text?, _ digest: PictureDigest?, _ cache: PictureCache
    ) -> Converted {
        cache.store(made, for: key)
        return Converted(picture: PreparedPicture(made, of: text, digest), fromCache: false)
    }

    /// SHA-256 of the picture that a text is, remembered with the text.
    private static func digest(of picture: [UInt8], _ text: PictureCache.Text?, _ cache: PictureCache) -> PictureDigest {
        if let known = (text?.tag).flatMap(cache.digest) { return known }
        let digest = PictureDigest(of: picture)
        if let text { cache.note(text.tag, digest) }
        return digest
    }

    /// Fetches a picture named by URL; nil for every other source.
    func fetch(_ source: ImageSource) async throws -> [UInt8]? {
        guard case .url(let url) = source else { return nil }
        do {
            let bytes = try await fetcher.fetch(url).bytes
            guard ImageFormat(startOf: bytes) != nil else { throw ImageFault.fetchFailed(.notAnImage) }
            return bytes
        } catch let error as ImageFetchError {
            throw ImageFault(error) ?? CancellationError() as any Error
        }
    }

    private static func decode(_ source: ImageSource, limit: Int) throws -> Given {
        switch source {
        case .faulty(let fault): throw fault
        case .url: throw ImageFault.notBase64
        case .encoded(let text):
            // Four letters carry three bytes; text far over the limit is not even decoded.
            if text.count / 4 * 3 > limit + limit / 4 {
                throw ImageFault.tooLarge(figure: "\(text.count / 4 * 3) bytes", limit: "\(limit) bytes")
            }
            guard let encoded = DataURL.payload(of: text), let decoded = Base64.decodeLenient(encoded) else { throw ImageFault.notBase64 }
            return Given(bytes: decoded.bytes, isStandard: decoded.isStandard)
        }
    }

    private static func faults<Value>(_ body: () throws(ImageError) -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            throw ImageFault(error) ?? CancellationError() as any Error
        }
    }
}

/// Bytes that are taken out once, so that they are not kept for as long as the task that passed them on.
private final class GivenAway: Sendable {
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
    fileprivate var encodedText: ArraySlice<UInt8>? {
        if case .encoded(let text) = self { text } else { nil }
    }
}

extension ImageFault {
    /// - Returns: nil if the work was cancelled, which is nobody's fault.
    init?(_ error: ImageFetchError) {
        switch error {
        case .cancelled: return nil
        case .unsupportedURL: self = .foreignReference
        case .status(let status): self = .fetchStatus(status)
        case .timedOut: self = .fetchFailed(.timedOut)
        case .tooLarge: self = .fetchFailed(.tooLarge)
        case .addressNotAllowed: self = .fetchFailed(.addressNotAllowed)
        case .tooManyRedirects: self = .fetchFailed(.tooManyRedirects)
        case .couldNotConnect: self = .fetchFailed(.couldNotConnect)
        }
    }

    /// - Returns: nil if the work was cancelled, which is nobody's fault.
    init?(_ error: ImageError) {
        switch error {
        case .cancelled: return nil
        case .empty: self = .empty
        case .unsupportedFormat: self = .unsupportedFormat(found: nil)
        case .unsupportedVariant(let what), .broken(let what): self = .broken(reason: what)
        case .tooManyBytes(let count, let limit): self = .tooLarge(figure: "\(count) bytes", limit: "\(limit) bytes")
        case .tooManyPixels(let width, let height, let limit):
            self = .tooLarge(figure: "\(width) × \(height) pixels", limit: "\(limit / 1_000_000) megapixels")
        case .sideTooLong(let side, let limit): self = .tooLarge(figure: "\(side) pixels on one side", limit: "\(limit) pixels")
        case .tooManyScans(let limit): self = .tooLarge(figure: "more than \(limit) scans", limit: "\(limit) scans")
        case .tooMuchMemory(let limit): self = .tooLarge(figure: "more than \(limit >> 20) MiB to decode", limit: "\(limit >> 20) MiB")
        case .tookTooLong(let limit):
            self = .tooLarge(figure: "more than \(limit.components.seconds) s to decode", limit: "\(limit.components.seconds) s")
        case .cannotFit(let limit, let smallest):
            self = .tooLarge(figure: "\(smallest) bytes as base64 at its smallest", limit: "\(limit) bytes")
        }
    }
}
