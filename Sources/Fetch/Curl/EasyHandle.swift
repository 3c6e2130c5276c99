import CCurl

/// Owns one `CURL *`, what is set on it, and the buffer for its words. Lives on the engine's thread only.
@safe final class EasyHandle {
    /// Below this the body is copied, and goes out in one packet with the headers.
    private static let copiedBodyBytes = 32 * 1024

    let curl: UnsafeMutableRawPointer
    private let words: UnsafeMutablePointer<CChar>
    private unowned let loop: CurlLoop
    /// What is set on it.
    private var options: HeadOptions?
    /// Whose exchange it runs.
    var user: RunningTransfer?

    /// libcurl's own set-up, once for the process.
    private static let globalSetUp: Void = {
        let status = curl_global_init(Int(CURL_GLOBAL_ALL))
        precondition(status == CURLE_OK, "libcurl cannot start")
    }()

    static func prepareLibrary() { globalSetUp }

    init(_ loop: CurlLoop) {
        guard let curl = unsafe curl_easy_init() else { fatalError("out of memory") }
        unsafe self.curl = unsafe curl
        self.loop = loop
        unsafe words = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe words.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        setOwn()
    }

    deinit {
        unsafe curl_easy_cleanup(curl)
        unsafe words.deallocate()
    }

    private func setOwn() {
        unsafe words.pointee = 0
        unsafe fetch_set_pointer(curl, CURLOPT_ERRORBUFFER, words)
        installCallbacks(loop)
    }

    /// Forgets every option; what libcurl may use again (TLS sessions, memory) stays.
    private func reset() {
        options = nil
        unsafe curl_easy_reset(curl)
        setOwn()
    }

    // MARK: Requests

    /// Whether a request with this head has nothing but its body to be set.
    func isSet(to head: RequestHead) -> Bool { options?.head === head }

    /// Sets what the request needs.
    ///
    /// - Returns: What was set, and whether libcurl asks for the body piece by piece.
    /// - Throws: What ``HeadOptions`` throws; nothing is set then.
    func set(_ request: FetchRequest) throws(FetchError) -> (options: HeadOptions, bodyIsRead: Bool) {
        let length = request.body.reduce(0) { $0 + $1.count }
        // A request may have a body and that one be empty.
        let sendsBody = length > 0 || ["POST", "PUT", "PATCH"].contains(request.method)
        let options: HeadOptions
        let bodyIsRead = length > Self.copiedBodyBytes
        if let set = self.options, set.head === request.head, set.sendsBody == sendsBody, !bodyIsRead {
            options = set
        } else {
            if self.options != nil { reset() }
            do {
                options = try HeadOptions(
                    request.head, sendsBody: sendsBody, bodyIsRead: bodyIsRead, on: self, loop.engine.configuration,
                    mayUseProxy: loop.engine.mayUseProxy)
            } catch {
                reset()
                throw error
            }
            self.options = options
        }
        if sendsBody { setBody(request.body, length: length, isRead: bodyIsRead) }
        return (options, bodyIsRead)
    }

    private func setBody(_ pieces: [ArraySlice<UInt8>], length: Int, isRead: Bool) {
        set(CURLOPT_POSTFIELDSIZE_LARGE, size: length)
        if isRead {
            set(CURLOPT_UPLOAD_BUFFERSIZE, length > 512 * 1024 ? 256 * 1024 : 64 * 1024)
        } else {
            // Most bodies are one piece.
            setCopy(pieces.count == 1 ? pieces[0] : ArraySlice(pieces.joined()))
        }
    }

    private func setCopy(_ bytes: ArraySlice<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer {
            // An empty array may lend no address, and NULL would mean "ask the read callback".
            guard let base = $0.baseAddress else { return set(CURLOPT_COPYPOSTFIELDS, "") }
            unsafe fetch_set_pointer(curl, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: base))
        }
    }

    /// The exchange is over, and the handle may be used for another.
    ///
    /// - Parameter leftTraces: It failed, or took more than one attempt, which libcurl counts over all that a handle does.
    func rest(leftTraces: Bool) {
        user = nil
        guard !leftTraces, let options, options.head.facts.pinnedAddresses.isEmpty else { return reset() }
        // Nobody's words stay behind.
        if options.sendsBody { unsafe fetch_set_pointer(curl, CURLOPT_COPYPOSTFIELDS, nil) }
    }

    // MARK: Options

    /// libcurl's sentence about the last failure; for the log only.
    var lastWords: String { unsafe String(cString: words) }

    func set(_ option: CURLoption, _ value: Int) {
        unsafe fetch_set_long(curl, option, value)
    }
    func set(_ option: CURLoption, size: Int) {
        unsafe fetch_set_size(curl, option, Int64(size))
    }
    func set(_ option: CURLoption, _ value: String?) {
        guard let value else {
            unsafe fetch_set_string(curl, option, nil)
            return
        }
        unsafe value.withCString { unsafe _ = fetch_set_string(curl, option, $0) }
    }
    /// The list must outlive the transfer.
    func set(_ option: CURLoption, _ list: borrowing StringList) {
        unsafe fetch_set_list(curl, option, list.list)
    }
    func info(_ info: CURLINFO) -> Int {
        unsafe fetch_info_long(curl, info)
    }
}
