import CCurl

/// One picture's way: hop by hop, each checked anew, with one second try, all within one time.
struct ImageWalk {
    let configuration: ImageFetchConfiguration
    let policy: HopPolicy
    let fetcher: Fetcher
    let cache: PictureCache
    let hostSlots: HostSlots
    private var end: ContinuousClock.Instant
    private var triesLeft = 2

    init(configuration: ImageFetchConfiguration, policy: HopPolicy, fetcher: Fetcher, cache: PictureCache, hostSlots: HostSlots) {
        self.configuration = configuration
        self.policy = policy
        self.fetcher = fetcher
        self.cache = cache
        self.hostSlots = hostSlots
        end = ContinuousClock.now + configuration.totalTimeout
    }

    private enum Step {
        case done(FetchedImage)
        case redirect(to: String)
    }

    /// Walks until there is a picture.
    mutating func fetch(_ start: ParsedURL) async throws(ImageFetchError) -> FetchedImage {
        var url = start
        for redirects in 0...max(0, configuration.maxRedirects) {
            switch try await hop(url) {
            case .done(var image):
                image.redirects = redirects
                return image
            case .redirect(let location):
                guard redirects < configuration.maxRedirects else { throw .tooManyRedirects }
                do {
                    url = try policy.follow(location, from: url)
                } catch {
                    // The client's own URL was fine.
                    throw error == .unsupportedURL ? .addressNotAllowed : error
                }
            }
        }
        throw .tooManyRedirects
    }

    /// One hop, with a second try if the first came to nothing and there is one left for this picture.
    private mutating func hop(_ url: ParsedURL) async throws(ImageFetchError) -> Step {
        while true {
            triesLeft -= 1
            do throws(ImageFetchError) {
                return try await attemptInTurn(url)
            } catch {
                guard triesLeft > 0, isWorthASecondTry(error), !Task.isCancelled else { throw error }
                try? await Task.sleep(for: min(configuration.retryDelay, timeLeft))
            }
        }
    }

    /// One attempt, as soon as the host has a place. Time spent in line is nobody's fault and does not count.
    private mutating func attemptInTurn(_ url: ParsedURL) async throws(ImageFetchError) -> Step {
        let host = "\(url.host):\(url.port)"
        let began = ContinuousClock.now
        guard await hostSlots.enter(host) else { throw .cancelled }
        defer { hostSlots.leave(host) }
        end += ContinuousClock.now - began
        return try await attempt(url)
    }

    private func isWorthASecondTry(_ error: ImageFetchError) -> Bool {
        switch error {
        case .couldNotConnect: true
        case .status(let status): status >= 500
        default: false
        }
    }

    private var timeLeft: Duration {
        max(.zero, end - ContinuousClock.now)
    }

    private func attempt(_ url: ParsedURL) async throws(ImageFetchError) -> Step {
        let kept = cache[url.text]
        let now = Int(fetch_wall_clock_seconds())
        if let kept, kept.rules.freshUntil > now { return .done(FetchedImage(bytes: kept.bytes, redirects: 0, cameFromCache: true)) }
        let reply = try await send(url, conditions: kept?.rules.conditions ?? [])
        switch reply.status {
        case 200, 203:
            let bytes = try await translating { () async throws(FetchError) in
                try await reply.body.collect(upTo: configuration.maxBytes)
            }
            if let rules = CacheRules(reply.headers, now: now) {
                cache.store(PictureCache.Entry(bytes: bytes, rules: rules), for: url.text)
            } else {
                cache.remove(url.text)
            }
            return .done(FetchedImage(bytes: bytes, redirects: 0, cameFromCache: false))
        case 304:
            guard var kept else { throw .status(304) }
            if let rules = CacheRules(reply.headers, now: now) {
                kept.rules.freshUntil = rules.freshUntil
                cache.store(kept, for: url.text)
            }
            return .done(FetchedImage(bytes: kept.bytes, redirects: 0, cameFromCache: true))
        case 301, 302, 303, 307, 308:
            guard let location = reply.headers["Location"], !location.isEmpty else { throw .status(reply.status) }
            return .redirect(to: location)
        default:
            throw .status(reply.status)
        }
    }

    private func send(_ url: ParsedURL, conditions: [(name: String, value: String)]) async throws(ImageFetchError) -> FetchReply {
        let mayDial = policy.mayDial(url)
        let addresses = try await resolve(url, mayDial)
        let left = timeLeft
        guard left > .zero else { throw .timedOut }
        var request = FetchRequest(
            url: url.text,
            headers: [("Accept", "image/*,*/*;q=0.8")] + conditions,
            limits: FetchLimits(
                connect: min(configuration.connectTimeout, left), firstByte: left, idle: left, total: left,
                maxBodyBytes: configuration.maxBytes),
            certificateAuthorityFile: configuration.certificateAuthorityFile)
        request.addressGuard = mayDial
        request.pinnedAddresses = addresses
        return try await translating { () async throws(FetchError) in try await fetcher.send(request) }
    }

    /// All addresses of the host, each of them one that may be dialled; empty if the host is an address itself.
    ///
    /// What is checked here is what libcurl is given to dial. The check on the address dialled stays behind it all the same.
    private func resolve(_ url: ParsedURL, _ mayDial: AddressGuard) async throws(ImageFetchError) -> [IPAddress] {
        guard url.address == nil else { return [] }
        let limit = min(configuration.connectTimeout, timeLeft)
        let resolver = configuration.resolver
        let host = url.host
        switch await withDeadline(limit, { await resolver.addresses(of: host) }) {
        case .cancelled:
            throw .cancelled
        case .tooLate:
            throw .timedOut
        case .value(let addresses):
            guard !addresses.isEmpty else { throw .couldNotConnect(detail: "the name has no address") }
            guard addresses.allSatisfy({ mayDial($0, url.port) }) else { throw .addressNotAllowed }
            return addresses
        }
    }

    private func translating<Value: Sendable>(
        _ call: () async throws(FetchError) -> Value
    ) async throws(ImageFetchError) -> Value {
        do throws(FetchError) {
            return try await call()
        } catch {
            throw ImageFetchError(error)
        }
    }
}

extension ImageFetchError {
    /// What an exchange's failure means for a picture.
    init(_ error: FetchError) {
        switch error {
        case .badURL, .badRequest: self = .unsupportedURL
        case .addressRefused: self = .addressNotAllowed
        case .timedOut: self = .timedOut
        case .tooLarge(let limit): self = .tooLarge(limit: limit)
        case .cancelled, .shutDown: self = .cancelled
        case .couldNotResolve(let detail), .couldNotConnect(let detail), .tlsFailed(let detail): self = .couldNotConnect(detail: detail)
        case .closedEarly(let detail), .protocolError(let detail): self = .brokeOff(detail: detail)
        }
    }
}
