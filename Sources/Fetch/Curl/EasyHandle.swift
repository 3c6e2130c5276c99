import CCurl

/// Owns one `CURL *` and the buffer for its words. Lives on the engine's thread only.
@safe final class EasyHandle {
    let curl: UnsafeMutableRawPointer
    private let words: UnsafeMutablePointer<CChar>

    /// libcurl's own set-up, once for the process.
    private static let globalSetUp: Void = {
        let status = curl_global_init(Int(CURL_GLOBAL_ALL))
        precondition(status == CURLE_OK, "libcurl cannot start")
    }()

    static func prepareLibrary() { globalSetUp }

    init() {
        guard let curl = unsafe curl_easy_init() else { fatalError("out of memory") }
        unsafe self.curl = unsafe curl
        unsafe words = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe words.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        unsafe fetch_set_pointer(curl, CURLOPT_ERRORBUFFER, words)
    }

    deinit {
        unsafe curl_easy_cleanup(curl)
        unsafe words.deallocate()
    }

    /// Forgets every option; what libcurl may use again (TLS sessions, memory) stays.
    func reset() {
        unsafe curl_easy_reset(curl)
        unsafe words.pointee = 0
        unsafe fetch_set_pointer(curl, CURLOPT_ERRORBUFFER, words)
    }

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
    /// libcurl takes a copy.
    func setBodyCopy(_ bytes: ArraySlice<UInt8>) {
        set(CURLOPT_POSTFIELDSIZE_LARGE, size: bytes.count)
        unsafe bytes.withUnsafeBufferPointer {
            // An empty array may lend no address, and NULL would mean "ask the read callback".
            guard let base = $0.baseAddress else { return set(CURLOPT_COPYPOSTFIELDS, "") }
            unsafe fetch_set_pointer(curl, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: base))
        }
    }
    func info(_ info: CURLINFO) -> Int {
        unsafe fetch_info_long(curl, info)
    }
}
