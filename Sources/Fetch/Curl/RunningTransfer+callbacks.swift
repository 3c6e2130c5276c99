import CCurl

/// What libcurl calls, and how it finds its way back to the transfer.
extension RunningTransfer {
    /// The pointer that libcurl hands back. The loop holds the object for as long as libcurl knows the handle.
    private var context: UnsafeMutableRawPointer { unsafe Unmanaged.passUnretained(self).toOpaque() }

    private static func from(_ context: UnsafeMutableRawPointer?) -> RunningTransfer {
        unsafe Unmanaged<RunningTransfer>.fromOpaque(context!).takeUnretainedValue()
    }

    static func of(_ curl: UnsafeMutableRawPointer) -> RunningTransfer? {
        guard let context = unsafe fetch_info_private(curl) else { return nil }
        return unsafe from(context)
    }

    func installCallbacks() {
        let curl = unsafe handle.curl
        unsafe fetch_set_pointer(curl, CURLOPT_PRIVATE, context)
        unsafe fetch_set_bytes_callback(
            curl, CURLOPT_WRITEFUNCTION, CURLOPT_WRITEDATA,
            { bytes, size, count, context in
                let taken = unsafe RunningTransfer.from(context).receive(UnsafeRawBufferPointer(start: bytes, count: size * count))
                return taken < 0 ? size * count &+ 1 : taken
            }, context)
        unsafe fetch_set_bytes_callback(
            curl, CURLOPT_HEADERFUNCTION, CURLOPT_HEADERDATA,
            { bytes, size, count, context in
                let line = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
                return unsafe RunningTransfer.from(context).receiveHeaderLine(line) ? size * count : 0
            }, context)
        unsafe fetch_set_bytes_callback(
            curl, CURLOPT_READFUNCTION, CURLOPT_READDATA,
            { bytes, size, count, context in
                let buffer = unsafe UnsafeMutableRawBufferPointer(start: bytes, count: size * count)
                return unsafe RunningTransfer.from(context).provideBody(into: buffer)
            }, context)
        unsafe fetch_set_seek_callback(
            curl,
            { context, offset, origin in
                guard origin == SEEK_SET, unsafe RunningTransfer.from(context).rewindBody(to: Int(offset)) else {
                    return CURL_SEEKFUNC_FAIL
                }
                return CURL_SEEKFUNC_OK
            }, context)
        unsafe fetch_set_open_callback(
            curl,
            { context, _, address in
                guard let context = unsafe context, let address = unsafe address else { return -1 }
                let transfer = unsafe RunningTransfer.from(context)
                return unsafe transfer.loop.openSocket(for: transfer, address)
            }, context)
        unsafe fetch_set_close_callback(curl, { unsafe CurlLoop.from($0).closeSocket($1) }, loop.context)
        unsafe fetch_set_ready_callback(
            curl,
            { context, remote, _, port, localPort in
                let transfer = unsafe RunningTransfer.from(context)
                let address = transfer.looksAtAddresses ? unsafe remote.flatMap { unsafe IPAddress(cString: $0) } : nil
                let mayBegin = transfer.mayBegin(
                    with: address, port: UInt16(truncatingIfNeeded: port), localPort: UInt16(truncatingIfNeeded: localPort))
                return mayBegin ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
            }, context)
    }
}
