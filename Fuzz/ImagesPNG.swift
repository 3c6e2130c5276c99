// fuzz-sources: Sources/Images
// fuzz-c: Sources/CCodecs
// fuzz-pkg-config: libjpeg libpng libwebpdemux libwebp
// fuzz-link: gif
// fuzz-seeds: fixtures/images/colour fixtures/images/animation fixtures/images/hostile
// fuzz-options: -max_len=20000

/// Any PNG gives a JPEG within the target or an error; what came out passes through unchanged.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let bytes = repairingCheckSums(unsafe Array(UnsafeBufferPointer(start: data, count: size)))
    guard ImageFormat(startOf: bytes) == .png else { return -1 }
    let limits = DecodeLimits(pixels: 400_000, memory: 16 << 20, time: .seconds(3))
    // The input's last byte chooses the way: as it is, shrunk, or made to fit.
    let last = bytes.last ?? 0
    let target = ImageTarget(
        maxBase64Bytes: last & 1 == 0 ? nil : 6000, maxEdge: last & 2 == 0 ? nil : 40,
        background: last & 4 == 0 ? .automatic : .colour(red: last, green: 9, blue: 99))
    guard let result = try? ImageNormalizer(limits: limits).normalize(bytes, to: target) else { return 0 }
    if let limit = target.maxBase64Bytes { precondition(result.report.base64Bytes <= limit) }
    if let edge = target.maxEdge { precondition(max(result.report.width, result.report.height) <= edge) }
    guard let again = try? ImageNormalizer().normalize(result.jpeg, to: target) else { fatalError("our own JPEG is refused") }
    precondition(again.report.width == result.report.width && again.report.height == result.report.height)
    return 0
}

/// Damage behind a wrong check sum would be found by nobody but the check sum.
private func repairingCheckSums(_ bytes: [UInt8]) -> [UInt8] {
    var png = bytes
    var position = 8
    while let length = png.bigEndian32(at: position), length <= png.count - position - 12 {
        let end = position + 8 + length
        var sum = UInt32.max
        for byte in png[(position + 4)..<end] {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? 0xEDB8_8320 ^ (sum >> 1) : sum >> 1 }
        }
        for index in 0..<4 { png[end + index] = UInt8(truncatingIfNeeded: ~sum >> UInt32(24 - 8 * index)) }
        position = end + 4
    }
    return png
}
