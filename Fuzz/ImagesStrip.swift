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
    expectNothingElse(damaged(text, by: way), target)
    return 0
}

/// Texts that are not as an encoder writes them.
private func damaged(_ text: [UInt8], by way: UInt8) -> [UInt8] {
    guard text.count > 64 else { return text }
    var text = text
    let place = Int(way) * 7919 % (text.count - 8) + 4
    switch way % 5 {
    case 0: text.removeLast(Int(way) % 7)
    case 1: text.remove(at: place)
    case 2: text.insert(text[place], at: place)
    case 3: text[place] = [61, 42, 45, 10][Int(way) % 4]
    default: text.append(contentsOf: [61, 61, 61].prefix(Int(way) % 4))
    }
    return text
}

/// What is made of a text is what a decoder finds in all of it.
private func expectNothingElse(_ text: [UInt8], _ target: ImageTarget) {
    guard let stripped = ImageNormalizer().strip(text: text[...], for: target) else { return }
    guard var bytes = Base64.decodeLenient(text[...])?.bytes, let image = (try? ImageNormalizer().strip(&bytes, for: target)) ?? nil else {
        preconditionFailure("made of a text that says no such thing")
    }
    precondition(stripped.report == image.report, "damaged text and its bytes differ")
    precondition(Array(stripped.base64(from: text[...]).pieces.joined()) == Base64.encode(image.jpeg), "another JPEG of damaged text")
}
