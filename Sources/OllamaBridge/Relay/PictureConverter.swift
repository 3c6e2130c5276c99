import Fetch
import Images
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
        let lookup = PictureLookup(source: source, target: target, pixels: pixels, named: named, limits: limits, cache: cache)
        switch try await workers.run({ _ in try lookup.run(text, fetched: bytes) }) {
        case .done(let converted): return converted
        case .missing(let bytes, let header, let digest):
            return try await workers.run(pixels: header.pixelCount) { isCancelled in
                let image = try ImageFault.from { () throws(ImageError) in
                    try ImageNormalizer(limits: lookup.limits).normalize(bytes.take(), to: target, isCancelled: isCancelled)
                }
                return lookup.keep(.written(Base64.encode(image.jpeg), image.report), as: .bytes(digest), of: nil, digest)
            }
        }
    }

    /// Fetches a picture.
    func fetch(_ url: String, within time: Duration) async throws -> [UInt8] {
        do {
            let bytes = try await fetcher.fetch(url, within: time).bytes
            guard ImageFormat(startOf: bytes) != nil else { throw ImageFault.fetchFailed(.notAnImage) }
            return bytes
        } catch let error as ImageFetchError {
            throw ImageFault(error) ?? CancellationError() as any Error
        }
    }
}

extension ImageFault {
    /// Does picture work; what it throws becomes a fault, or a cancellation.
    static func from<Value>(_ body: () throws(ImageError) -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            throw ImageFault(error) ?? CancellationError() as any Error
        }
    }

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
        case .couldNotConnect, .brokeOff: self = .fetchFailed(.couldNotConnect)
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
            self = .doesNotFit(figure: "\(smallest) bytes as base64 at its smallest", limit: "\(limit) bytes")
        }
    }
}
