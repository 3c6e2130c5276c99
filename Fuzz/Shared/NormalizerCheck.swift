/// What must hold for any bytes of one format: they give a JPEG within the target or an error, and what came out passes through again at
/// its size.
func checkNormalizer(_ bytes: [UInt8], _ format: ImageFormat) -> CInt {
    guard ImageFormat(startOf: bytes) == format else { return -1 }
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
