/// What can be wrong with a picture, and the exact words a client reads about it.
public enum ImageFault: Error, Sendable, Equatable {
    /// The entry is a number, object, array or bool.
    case notText
    /// An empty string or null.
    case empty
    /// `file:` or another scheme that is neither `data:` nor http(s).
    case foreignReference
    /// Text that is no base64, which includes local paths.
    case notBase64
    /// Bytes that are no JPEG, PNG, WebP or GIF. `found` names what they look like, if known.
    case unsupportedFormat(found: String?)
    /// One of the four formats, but broken. `reason` is a plain half-sentence for the `detail`.
    case broken(reason: String?)
    /// The image's URL answered with an error status.
    case fetchStatus(Int)
    /// The image's URL could not be had for another reason.
    case fetchFailed(FetchReason)
    /// Over a limit on bytes, pixels or edge; both figures with their unit, as in `61 megapixels`.
    case tooLarge(figure: String, limit: String)
    /// Over the model's limit however small it is made; both figures with their unit.
    case doesNotFit(figure: String, limit: String)
    /// More pictures in the newest turn than the model takes.
    case tooMany(count: Int, limit: Int)
    /// All pictures together do not fit in one upstream request; both figures with their unit.
    case requestTooLarge(figure: String, limit: String)
    /// The model takes no pictures. `model` is the request's own spelling.
    case noVision(model: String)

    /// Why a picture could not be fetched; the raw value is the text after `failed to fetch image: `.
    public enum FetchReason: String, Sendable, CaseIterable {
        case timedOut = "timed out"
        case tooLarge = "too large"
        case addressNotAllowed = "address not allowed"
        case tooManyRedirects = "too many redirects"
        case couldNotConnect = "could not connect"
        case notAnImage = "not an image"
    }
}

extension ImageFault {
    /// The failure a client reads.
    ///
    /// - Parameters:
    ///   - message: Position of the message, from 0; nil for `/api/generate` and for the request as a whole.
    ///   - image: Position within that message's `images`, from 0.
    public func failure(message: Int? = nil, image: Int? = nil) -> OllamaFailure {
        OllamaFailure(status: 400, error: error, code: code, detail: detail, message: message, image: image)
    }

    /// What stands in the place of a picture of an earlier turn, so that one bad old picture never wedges a chat.
    public var notice: String {
        switch self {
        case .noVision: "[An image was here; this model cannot see images.]"
        case .tooMany: "[An image was here; it was left out because this chat holds more images than the model takes.]"
        case .fetchStatus, .fetchFailed: "[An image was here; it could not be fetched.]"
        case .tooLarge, .doesNotFit, .requestTooLarge: "[An image was here; it was left out because it is too large.]"
        default: "[An image was here; it could not be read.]"
        }
    }

    /// The exact `error` text. Clients match on it.
    public var error: String {
        switch self {
        case .notText: "Unsupported image type"
        case .empty, .broken: "invalid image input"
        case .foreignReference, .notBase64, .unsupportedFormat: "Only JPEG base64 strings or http(s) URLs are supported"
        case .fetchStatus(let status): "failed to fetch image: \(status)"
        case .fetchFailed(let reason): "failed to fetch image: \(reason.rawValue)"
        case .tooLarge(let figure, let limit), .doesNotFit(let figure, let limit): "image too large: \(figure), the limit is \(limit)"
        case .tooMany(let count, let limit): "too many images: \(count), the limit is \(limit)"
        case .requestTooLarge(let figure, let limit): "request too large: \(figure), the limit is \(limit)"
        case .noVision(let model): "\(model) does not support vision"
        }
    }

    private var code: String {
        switch self {
        case .notText: "UNSUPPORTED_IMAGE_TYPE"
        case .empty, .broken: "INVALID_IMAGE"
        case .foreignReference, .notBase64, .unsupportedFormat: "UNSUPPORTED_IMAGE_SOURCE"
        case .fetchStatus, .fetchFailed: "IMAGE_FETCH_FAILED"
        case .tooLarge, .doesNotFit: "IMAGE_TOO_LARGE"
        case .tooMany: "TOO_MANY_IMAGES"
        case .requestTooLarge: "REQUEST_TOO_LARGE"
        case .noVision: "UNSUPPORTED_CAPABILITY"
        }
    }

    /// One plain sentence for a person.
    private var detail: String {
        switch self {
        case .notText: "Each entry of images must be a string: base64, a data URL, or an http(s) URL."
        case .empty: "The image is empty."
        case .foreignReference: "The entry names a place this server does not read; send base64, a data URL, or an http(s) URL."
        case .notBase64: "The entry is neither base64 nor a URL; a path on your own machine cannot be read from here."
        case .unsupportedFormat(let found):
            found.map { "The bytes look like \($0); JPEG, PNG, WebP and GIF are converted." }
                ?? "The bytes are no JPEG, PNG, WebP or GIF."
        case .broken(let reason): reason.map { "The image is damaged: \($0)." } ?? "The image is damaged."
        case .fetchStatus(let status): "The image's address answered with status \(status)."
        case .fetchFailed(.timedOut): "The image's address did not answer in time."
        case .fetchFailed(.tooLarge): "The image's address sends more bytes than this server takes."
        case .fetchFailed(.addressNotAllowed): "The image's address is private or local and not on the list of allowed hosts."
        case .fetchFailed(.tooManyRedirects): "The image's address redirects too often."
        case .fetchFailed(.couldNotConnect): "The image's address could not be reached, or broke off."
        case .fetchFailed(.notAnImage): "The image's address answered with something that is no image."
        case .tooLarge: "Send a smaller image."
        case .doesNotFit: "Send a smaller image, or raise max_bytes in models.json."
        case .tooMany: "Send fewer images at once, or raise max_count in models.json."
        case .requestTooLarge: "The images do not fit together in one request even when reduced; send fewer."
        case .noVision: "Choose a model that can see images, or remove the images."
        }
    }
}
