import Testing

@testable import Translate

@Suite struct JSONScanTests {
    /// One byte at a time, as RFC 8259 §7 says it.
    private static func run(_ bytes: [UInt8], from start: Int, to end: Int) -> (end: Int, isASCII: Bool) {
        let stop = bytes[start..<end].firstIndex { $0 == 0x22 || $0 == 0x5C || $0 < 0x20 } ?? end
        return (stop, bytes[start..<stop].allSatisfy { $0 < 0x80 })
    }

    @Test(arguments: [0x22, 0x5C, 0x00, 0x1F, 0x0A, 0x20, 0x21, 0x23, 0x5B, 0x5D, 0x7F, 0x80, 0xA2, 0xDC, 0xFF] as [UInt8])
    func `a run ends where a loop over its bytes says`(byte: UInt8) {
        for length in [0, 1, 7, 8, 9, 63, 64, 65, 130, 200] {
            for position in 0..<length {
                for filler in [0x61, 0x20, 0x7E] as [UInt8] {
                    var bytes = [UInt8](repeating: filler, count: length)
                    bytes[position] = byte
                    for start in [0, min(3, length)] {
                        let (found, wanted) = (JSONScan.plainRun(bytes, from: start, to: length), Self.run(bytes, from: start, to: length))
                        #expect(found == wanted, "\(byte) at \(position) of \(length)")
                    }
                }
            }
        }
    }

    @Test func `what lies behind the end does not count`() {
        var bytes = [UInt8](repeating: 0x61, count: 200)
        bytes[100] = 0x22
        #expect(JSONScan.plainRun(bytes, from: 0, to: 100) == (100, true))
        bytes[101] = 0xC3
        #expect(JSONScan.plainRun(bytes, from: 0, to: 200) == (100, true))
    }
}
