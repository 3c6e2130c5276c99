import CCurl

/// Owns one `curl_slist`.
@safe struct StringList: ~Copyable {
    private(set) var list: UnsafeMutablePointer<curl_slist>?

    init(_ lines: [String]) {
        unsafe list = nil
        for line in lines { append(line) }
    }

    private mutating func append(_ line: String) {
        // NULL means no memory: the list so far stays valid, and the request goes out without the line only if the system is at its end.
        guard let longer = unsafe curl_slist_append(list, line) else { fatalError("out of memory") }
        unsafe list = longer
    }

    deinit {
        unsafe curl_slist_free_all(list)
    }
}
