// fuzz-sources: Sources/Images Fuzz/Shared/NormalizerCheck.swift
// fuzz-c: Sources/CBytes Sources/CCodecs
// fuzz-pkg-config: libjpeg libpng libwebpdemux libwebp
// fuzz-link: gif z
// fuzz-seeds: fixtures/images/colour fixtures/images/animation fixtures/images/orientation fixtures/images/hostile
// fuzz-options: -max_len=20000

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    checkNormalizer(unsafe Array(UnsafeBufferPointer(start: data, count: size)), .webp)
}
