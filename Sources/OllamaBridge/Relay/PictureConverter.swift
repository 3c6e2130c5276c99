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
        case found(PreparedPicture)
        /// `base64` is the text that says just these bytes, if it is such that parts of it can be sent on.
        case missing(bytes: GivenAway, header: ImageHeader, digest: PictureDigest, text: PictureCache.Text?, base64: ArraySlice<UInt8>?)
    }

    /// A picture as it was given, and the standard base64 it was given in.
    private struct Given {
        var bytes: [UInt8]
        var base64: ArraySlice<UInt8>?
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
    /// - Throws: ``ImageFault`` for whatever is wrong with the picture, `CancellationError`.
    func convert(
        _ source: ImageSource, text: PictureCache.Text? = nil, fetched bytes: [UInt8]?, to target: ImageTarget, pixels: PixelAllowance
    ) async throws -> Converted {
        let limits = limits
        let cache = cache
        let lookup: Lookup = try await workers.run { _ in
            // A chat repeats its pictures in every turn: a text that came before need be neither decoded nor hashed.
            let text = text ?? source.encodedText.map(cache.text)
            if let digest = (text?.tag).flatMap(cache.digest),
                let picture = cache.picture(.init(digest: digest, target: target), from: text)
            {
                return .found(picture)
            }
            let given = try bytes.map { Given(bytes: $0) } ?? Self.decode(source, limit: limits.bytes)
            let digest = PictureDigest(of: given.bytes)
            if let text { cache.note(text.tag, digest) }
            if let picture = cache.picture(.init(digest: digest, target: target), from: text) { return .found(picture) }
            let header = try Self.faults { () throws(ImageError) in try ImageHeader.read(given.bytes, limits: limits) }
            try pixels.take(header.pixelCount)
            return .missing(bytes: GivenAway(given.bytes), header: header, digest: digest, text: text, base64: given.base64)
        }
        switch lookup {
        case .found(let picture): return Converted(picture: picture, fromCache: true)
        case .missing(let bytes, let header, let digest, let text, let base64):
            return try await workers.run(pixels: header.pixelCount) { isCancelled in
                let image = try Self.faults { () throws(ImageError) in
                    try ImageNormalizer(limits: limits).normalize(bytes.take(), to: target, isCancelled: isCancelled)
                }
                let picture = PreparedPicture(base64: image.base64(sharing: base64), report: image.report, digest: digest)
                cache.store(picture, for: .init(digest: digest, target: target), from: text)
                return Converted(picture: picture, fromCache: false)
            }
        }
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
            return Given(bytes: decoded.bytes, base64: decoded.isStandard ? encoded : nil)
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
