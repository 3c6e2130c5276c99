import CCurl

/// What libcurl calls, and how it finds its way to the transfer.
extension EasyHandle {
    /// The pointer that libcurl hands back. The loop or a transfer holds the object for as long as libcurl knows the handle.
    private var context: UnsafeMutableRawPointer { unsafe Unmanaged.passUnretained(self).toOpaque() }

    private static func user(_ context: UnsafeMutableRawPointer?) -> RunningTransfer? {
        unsafe Unmanaged<EasyHandle>.fromOpaque(context!).takeUnretainedValue().user
    }

    /// Whose exchange a handle of libcurl's runs.
    static func user(of curl: UnsafeMutableRawPointer) -> RunningTransfer? {
        guard let context = unsafe fetch_info_private(curl) else { return nil }
        return unsafe user(context)
    }

    func installCallbacks(_ loop: CurlLoop) {
        unsafe fetch_set_pointer(curl, CURLOPT_PRIVATE, context)
        unsafe fetch_set_bytes_callback(
            curl, CURLOPT_WRITEFUNCTION, CURLOPT_WRITEDATA,
            { bytes, size, count, context in
                let taken = unsafe EasyHandle.user(context)?.receive(UnsafeRawBufferPointer(start: bytes, count: size * count)) ?? -1
                return taken < 0 ? size * count &+ 1 : taken
            }, context)
        unsafe fetch_set_bytes_callback(
            curl, CURLOPT_HEADERFUNCTION, CURLOPT_HEADERDATA,
            { bytes, size, count, context in
                let line = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
                return unsafe EasyHandle.user(context)?.receiveHeaderLine(line) == true ? size * count : 0
            }, context)
        unsafe fetch_set_bytes_callback(
            curl, CURLOPT_READFUNCTION, CURLOPT_READDATA,
            { bytes, size, count, context in
                let buffer = unsafe UnsafeMutableRawBufferPointer(start: bytes, count: size * count)
                return unsafe EasyHandle.user(context)?.provideBody(into: buffer) ?? Int(CURL_READFUNC_ABORT)
            }, context)
        unsafe fetch_set_seek_callback(
            curl,
            { context, offset, origin in
                guard origin == SEEK_SET, unsafe EasyHandle.user(context)?.rewindBody(to: Int(offset)) == true else {
                    return CURL_SEEKFUNC_FAIL
                }
                return CURL_SEEKFUNC_OK
            }, context)
        unsafe fetch_set_open_callback(
            curl,
            { context, _, address in
                guard let transfer = unsafe EasyHandle.user(context), let address = unsafe address else { return -1 }
                return unsafe transfer.loop.openSocket(for: transfer, address)
            }, context)
        unsafe fetch_set_close_callback(curl, { unsafe CurlLoop.from($0).closeSocket($1) }, loop.context)
        unsafe fetch_set_ready_callback(
            curl,
            { context, remote, _, port, localPort in
                guard let transfer = unsafe EasyHandle.user(context) else { return CURL_PREREQFUNC_ABORT }
                let address = transfer.looksAtAddresses ? unsafe remote.flatMap { unsafe IPAddress(cString: $0) } : nil
                let mayBegin = transfer.mayBegin(
                    with: address, port: UInt16(truncatingIfNeeded: port), localPort: UInt16(truncatingIfNeeded: localPort))
                return mayBegin ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
            }, context)
    }
}
