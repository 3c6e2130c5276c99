// fuzz-sources: Sources/Images Fuzz/Shared/NormalizerCheck.swift
// fuzz-c: Sources/CBytes Sources/CCodecs
// fuzz-pkg-config: libjpeg libpng libwebpdemux libwebp
// fuzz-link: gif z
// fuzz-seeds: fixtures/images/colour fixtures/images/animation fixtures/images/hostile
// fuzz-options: -max_len=20000

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    checkNormalizer(repairingCheckSums(unsafe Array(UnsafeBufferPointer(start: data, count: size))), .png)
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
