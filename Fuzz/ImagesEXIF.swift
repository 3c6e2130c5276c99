// fuzz-sources: Sources/Images
// fuzz-c: Sources/CBytes Sources/CCodecs
// fuzz-pkg-config: libjpeg libpng libwebpdemux libwebp
// fuzz-link: gif z
// fuzz-options: -max_len=4096

/// Any note about orientation reads as one of eight, in every container.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
    precondition((1...8).contains(EXIFOrientation.read(bytes[...])))
    // A slice that does not begin at zero, as containers hand it over.
    precondition(EXIFOrientation.read(([1, 2, 3] + bytes + [4])[3..<(3 + bytes.count)]) == EXIFOrientation.read(bytes[...]))
    return 0
}
