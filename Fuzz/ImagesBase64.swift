// fuzz-sources: Sources/Images
// fuzz-c: Sources/CBytes Sources/CCodecs
// fuzz-pkg-config: libjpeg libpng libwebpdemux libwebp
// fuzz-link: gif z
// fuzz-options: -max_len=4096

/// Bytes survive the way through base64, and lenient text that decodes means the same when it is written properly.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
    precondition(Base64.decodeLenient(Base64.encode(bytes)[...])?.bytes == bytes)
    if let decoded = Base64.decodeLenient(bytes[...]) {
        precondition(Base64.decodeLenient(Base64.encode(decoded.bytes)[...])?.bytes == decoded.bytes)
        // What may stand in another text as it is has to be what we would have written.
        let groups = decoded.bytes.count / 3 * 4
        if decoded.isStandard { precondition(Base64.encode(decoded.bytes)[..<groups] == bytes[..<groups]) }
    }
    return 0
}
