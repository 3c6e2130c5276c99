// fuzz-sources: Sources/Images
// fuzz-c: Sources/CBytes Sources/CCodecs
// fuzz-pkg-config: libjpeg libpng libwebpdemux libwebp
// fuzz-link: gif z
// fuzz-seeds: fixtures/images/photos fixtures/images/orientation fixtures/images/colour fixtures/images/hostile
// fuzz-options: -max_len=40000

/// A JPEG's text is stripped as its bytes are, or left to them.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    var bytes = unsafe Array(UnsafeBufferPointer(start: data, count: size))
    _ = ImageNormalizer().strip(text: bytes[...], for: ImageTarget())
    // The input's last byte chooses the way.
    let way = bytes.last ?? 0
    if way & 3 == 0, bytes.count > 2 {
        // Coded data that begins somewhere else in the window.
        let count = 24_000 + Int(way) * 4
        bytes.insert(contentsOf: [0xFF, 0xFE, UInt8(count >> 8), UInt8(count & 255)] + [UInt8](repeating: 32, count: count - 2), at: 2)
    }
    let target = ImageTarget(maxBase64Bytes: way & 4 == 0 ? nil : 6000, maxEdge: way & 8 == 0 ? nil : 40)
    let text = Base64.encode(bytes)
    let stripped = ImageNormalizer().strip(text: text[...], for: target)
    let image = (try? ImageNormalizer().strip(&bytes, for: target)) ?? nil
    precondition(stripped?.report == image?.report, "text and bytes differ")
    if let stripped, let image {
        precondition(Array(stripped.base64(from: text[...]).pieces.joined()) == Base64.encode(image.jpeg), "another JPEG")
    }
    return 0
}
