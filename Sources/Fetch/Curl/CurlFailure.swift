import CCurl

extension FetchError {
    /// What libcurl's code means to us; the only place that says so.
    ///
    /// - Parameters:
    ///   - words: libcurl's sentence about it, for the log.
    ///   - hasDialled: A connection was opened for the request, or taken up: its URL is one that can be used.
    init(_ code: CURLcode, words: String, hasDialled: Bool) {
        let detail = words.isEmpty ? unsafe String(cString: curl_easy_strerror(code)) : words
        switch code {
        case CURLE_UNSUPPORTED_PROTOCOL where hasDialled:
            // What came is no HTTP/1 at all.
            self = .protocolError(detail: detail)
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL:
            self = .badURL
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
            self = .couldNotResolve(detail: detail)
        case CURLE_COULDNT_CONNECT, CURLE_INTERFACE_FAILED, CURLE_NO_CONNECTION_AVAILABLE:
            self = .couldNotConnect(detail: detail)
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_CACERT_BADFILE,
            CURLE_SSL_ISSUER_ERROR, CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_INVALIDCERTSTATUS,
            CURLE_USE_SSL_FAILED, CURLE_SSL_CRL_BADFILE, CURLE_SSL_CLIENTCERT:
            self = .tlsFailed(detail: detail)
        case CURLE_OPERATION_TIMEDOUT:
            // Only libcurl's own connect timer, which we leave far behind ours.
            self = .timedOut(.connecting)
        case CURLE_GOT_NOTHING, CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_SEND_FAIL_REWIND, CURLE_HTTP2_STREAM:
            self = .closedEarly(detail: detail)
        default:
            self = .protocolError(detail: detail)
        }
    }
}
