import Fetch
import Images
import Logging
import Synchronization
import Translate

/// One picture of a request, wherever in the request it stood.
struct PictureSlot: Sendable {
    var source: ImageSource
    /// Pictures of earlier turns were accepted once already: whatever is wrong with them now becomes a notice, never an error.
    var isInNewestTurn: Bool
    /// OpenAI's `detail`, where the client gave one.
    var detail: String?
}

/// Why a request cannot go on because of a picture.
struct PictureRejection: Error {
    /// Position among the request's slots; nil when no single picture is at fault.
    var slot: Int?
    var fault: ImageFault
}

/// What became of one picture, for logs, headers, explain and audit.
struct PictureFact: Sendable {
    enum Outcome: Sendable {
        case sent(ImageReport, digest: PictureDigest?, fromCache: Bool)
        case notice(ImageFault)
        /// What the client is told instead of an answer.
        case rejected(ImageFault)
        case described(by: String)
    }

    var slot: Int
    /// `base64` (a data URL counts as such) or `url`.
    var kind: String
    var outcome: Outcome
}

/// The pictures of a request, ready to be built into the upstream's body.
struct PreparedPictures: Sendable {
    var outcomes: [ImageOutcome] = []
    var facts: [PictureFact] = []
}

/// Takes all pictures of a request through the converter, by the model's policy and limits.
struct ImageStage: Sendable {
    /// Captions a picture with a vision model; `model` is its listed name.
    typealias Describer = @Sendable (_ picture: PreparedPicture, _ model: String) async throws -> String

    /// Decides about a picture that would end the request: throw it on, or note it and go on.
    typealias Rejecter = (PictureRejection) throws -> Void

    /// Pixels one request may make us decode.
    static let pixelsPerRequest = 100_000_000

    let converter: PictureConverter
    let catalog: CatalogStore
    /// Whether every picture's SHA-256 is wanted: an audit names them by it.
    let namesPictures: Bool

    /// What is wanted of every picture of a request.
    private struct Job: Sendable {
        var target: ImageTarget
        var named: Bool
        let fetchTime: Duration
        let fetched = FetchedPictures()
    }

    private enum Result: Sendable {
        case converted(PictureConverter.Converted)
        case faulty(ImageFault)
    }

    /// - Parameters:
    ///   - name: The model's name as the client used it, for error texts.
    ///   - textBytes: What of the request is no picture.
    ///   - named: Whether their SHA-256 is wanted, audit or not.
    ///   - reject: Called for each picture that would end the request.
    /// - Throws: ``PictureRejection``, `CancellationError`, or what the describer throws.
    func prepare(
        _ slots: [PictureSlot], for model: ResolvedModel, requestedName name: String, textBytes: Int, named: Bool = false,
        reject goOn: Rejecter = { throw $0 }, describe: Describer
    ) async throws -> PreparedPictures {
        guard !slots.isEmpty else { return PreparedPictures() }
        var rejected: Set<Int> = []
        func reject(_ slot: Int, _ fault: ImageFault) throws {
            try goOn(PictureRejection(slot: slot, fault: fault))
            rejected.insert(slot)
        }
        var results: [Result?] = Array(repeating: nil, count: slots.count)
        var describer: String?
        let items = slots.map { ImagePlan.Item(source: $0.source, isInNewestTurn: $0.isInNewestTurn) }
        for (slot, treatment) in ImagePlan.decide(items, model: model, requestedName: name).enumerated() {
            switch treatment {
            case .convert: break
            case .describe(let model): describer = model
            case .notice(let fault): results[slot] = .faulty(fault)
            case .refuse(let fault):
                try reject(slot, fault)
                results[slot] = .faulty(fault)
            }
        }
        // Whoever is to describe the pictures is the one that gets them, one at a time.
        let settings = describer.flatMap { try? catalog.require($0, for: .chat) }?.images ?? model.images
        let kept = results.count { $0 == nil }
        // A caption is kept under the picture's SHA-256.
        let job = Job(
            target: target(settings, kept: kept), named: named || namesPictures || describer != nil,
            fetchTime: .seconds(settings.fetchTimeoutSeconds))
        let pixels = PixelAllowance(Self.pixelsPerRequest)
        // The newest turn first, so that old pictures never use up its allowance.
        for newest in [true, false] {
            let wanted = slots.indices.filter { slots[$0].isInNewestTurn == newest && results[$0] == nil }
            for (slot, result) in try await convert(slots, wanted, job, pixels: pixels, fetches: settings.concurrentFetches) {
                results[slot] = result
            }
            for slot in wanted {
                if newest, case .faulty(let fault)? = results[slot] { try reject(slot, fault) }
            }
        }
        if describer == nil {
            for (slot, fault) in try await fit(slots, &results, job, settings: settings, textBytes: textBytes)
            where slots[slot].isInNewestTurn { try reject(slot, fault) }
        }
        return try await finish(
            slots, results, rejected: rejected, detail: settings.detail, name: name, describer: describer, describe)
    }

    private func target(_ settings: ImageSettings, kept: Int) -> ImageTarget {
        var target = ImageTarget(settings)
        if let crowd = settings.crowd, kept > crowd.count { target.maxEdge = min(settings.maxEdge, crowd.maxEdge) }
        return target
    }

    private func convert(_ slots: [PictureSlot], _ wanted: [Int], _ job: Job, pixels: PixelAllowance, fetches: Int) async throws
        -> [(Int, Result)]
    {
        let texts = wanted.count > 1 ? try await converter.texts(of: wanted.map { slots[$0].source }) : wanted.map { _ in nil }
        // The same picture twice in one request is converted once. Told by their tags: comparing texts with each other would take a time
        // that grows with the square of their number.
        var firstOf: [Int: Int] = [:]
        var seen: [Identity: Int] = [:]
        var textOf: [Int: PictureCache.Text] = [:]
        for (slot, text) in zip(wanted, texts) {
            textOf[slot] = text
            let identity = text.map { Identity.text($0.tag) } ?? Identity(slots[slot].source, slot: slot)
            firstOf[slot] = seen[identity, default: slot]
            seen[identity] = firstOf[slot]
        }
        let fetchSlots = WeightedSemaphore(capacity: max(fetches, 1))
        let distinct = try await withThrowingTaskGroup(of: (Int, Result).self) { group in
            for slot in Set(firstOf.values) {
                group.addTask { [text = textOf[slot]] in
                    (slot, try await self.convert(slots[slot].source, text: text, job, pixels: pixels, fetchSlots: fetchSlots))
                }
            }
            return try await group.reduce(into: [Int: Result]()) { $0[$1.0] = $1.1 }
        }
        return wanted.compactMap { slot in firstOf[slot].flatMap { distinct[$0] }.map { (slot, $0) } }
    }

    /// What makes two slots of a request the same picture.
    private enum Identity: Hashable {
        case text(PictureTextTag)
        case url(String)
        case slot(Int)

        init(_ source: ImageSource, slot: Int) {
            self = if case .url(let url) = source { .url(url) } else { .slot(slot) }
        }
    }

    private func convert(
        _ source: ImageSource, text: PictureCache.Text? = nil, _ job: Job, pixels: PixelAllowance, fetchSlots: WeightedSemaphore
    ) async throws -> Result {
        do {
            var fetched: [UInt8]?
            if case .url(let url) = source { fetched = try await fetch(url, job, fetchSlots) }
            return .converted(
                try await converter.convert(source, text: text, fetched: fetched, to: job.target, pixels: pixels, named: job.named))
        } catch let fault as ImageFault {
            return .faulty(fault)
        }
    }

    private func fetch(_ url: String, _ job: Job, _ slots: WeightedSemaphore) async throws -> [UInt8] {
        if let known = job.fetched.bytes(of: url) { return known }
        try await slots.acquire(1)
        defer { slots.release(1) }
        let bytes = try await converter.fetch(url, within: job.fetchTime)
        job.fetched.keep(bytes, of: url)
        return bytes
    }

    /// Makes the largest pictures smaller until all of them fit in one upstream request.
    ///
    /// - Returns: Those for which that came to nothing, and why.
    private func fit(
        _ slots: [PictureSlot], _ results: inout [Result?], _ job: Job, settings: ImageSettings, textBytes: Int
    ) async throws -> [(slot: Int, fault: ImageFault)] {
        let sizes = results.map { result in
            if case .converted(let converted)? = result { converted.picture.base64.count } else { 0 }
        }
        let limit = settings.maxRequestBytes
        let budget = limit - textBytes - min(Self.frameReserve, limit / 16)
        var faults: [(slot: Int, fault: ImageFault)] = []
        let limits = RequestBudget(maxBase64Bytes: budget).limits(forBase64Sizes: sizes)
        for slot in slots.indices {
            guard let limit = limits[slot], sizes[slot] > 0 else { continue }
            var smaller = job
            smaller.target.maxBase64Bytes = limit
            let result = try await convert(
                slots[slot].source, smaller, pixels: PixelAllowance(Self.pixelsPerRequest),
                fetchSlots: WeightedSemaphore(capacity: 1))
            guard case .faulty(var fault) = result else {
                results[slot] = result
                continue
            }
            if case .doesNotFit = fault {
                fault = .requestTooLarge(
                    figure: "\(sizes.reduce(0, +)) bytes of images and \(textBytes) of text",
                    limit: "\(settings.maxRequestBytes) bytes")
            }
            results[slot] = .faulty(fault)
            faults.append((slot, fault))
        }
        return faults
    }

    /// What is kept free for what the upstream's form of a request has more than the client's.
    private static let frameReserve = 64 << 10

    /// - Parameters:
    ///   - detail: For pictures that say nothing of it themselves.
    ///   - name: The model's name as the client used it.
    ///   - describer: The model that puts the pictures into words instead.
    private func finish(
        _ slots: [PictureSlot], _ results: [Result?], rejected: Set<Int>, detail: String?, name: String, describer: String?,
        _ describe: Describer
    ) async throws -> PreparedPictures {
        var prepared = PreparedPictures()
        for (slot, result) in results.enumerated() {
            switch result {
            case .converted(let converted)?:
                guard let describer else {
                    prepared.add(
                        .jpeg(base64: converted.picture.base64.pieces, detail: slots[slot].detail ?? detail),
                        .sent(converted.picture.report, digest: converted.picture.digest, fromCache: converted.fromCache), slot, slots)
                    continue
                }
                do {
                    let caption = try await describe(converted.picture, describer)
                    prepared.add(.notice("[Image, described by \(describer): \(caption)]"), .described(by: describer), slot, slots)
                } catch is OllamaFailure where !slots[slot].isInNewestTurn {
                    prepared.add(.noVision(model: name), slot, slots, isRejected: false)
                }
            case .faulty(let fault)?: prepared.add(fault, slot, slots, isRejected: rejected.contains(slot))
            case nil: continue
            }
        }
        return prepared
    }
}

extension PreparedPictures {
    fileprivate mutating func add(_ outcome: ImageOutcome, _ fact: PictureFact.Outcome, _ slot: Int, _ slots: [PictureSlot]) {
        outcomes.append(outcome)
        facts.append(PictureFact(slot: slot, kind: Self.kind(slots[slot].source), outcome: fact))
    }

    fileprivate mutating func add(_ fault: ImageFault, _ slot: Int, _ slots: [PictureSlot], isRejected: Bool) {
        add(.notice(fault.notice), isRejected ? .rejected(fault) : .notice(fault), slot, slots)
    }

    private static func kind(_ source: ImageSource) -> String {
        if case .url = source { "url" } else { "base64" }
    }
}

/// The pixels one request may still make us decode; pictures from the cache cost nothing.
final class PixelAllowance: Sendable {
    private let left: Mutex<Int>
    private let limit: Int

    init(_ limit: Int) {
        self.limit = limit
        left = Mutex(limit)
    }

    func take(_ pixels: Int) throws(ImageFault) {
        let isAllowed = left.withLock { left in
            guard left >= pixels else { return false }
            left -= pixels
            return true
        }
        if !isAllowed {
            throw .tooLarge(figure: "more than \(limit / 1_000_000) megapixels in one request", limit: "\(limit / 1_000_000) megapixels")
        }
    }
}
