import CCodecs
import Testing

@testable import Images

@Suite struct ScalerTests {
    private func scaled(_ width: Int, _ height: Int, to target: PixelSize, channels: Int, _ pixel: (Int, Int, Int) -> UInt8) throws
        -> Bitmap
    {
        let work = WorkGuard(limits: .standard, isCancelled: { false })
        let bitmap = try Bitmap(
            PixelSize(width: width, height: height), channels: channels, colour: channels == 1 ? CC_GREY : CC_RGB, limits: .standard)
        for y in 0..<height {
            for x in 0..<width {
                for channel in 0..<channels { unsafe bitmap.row(y)[x * channels + channel] = pixel(x, y, channel) }
            }
        }
        return try bitmap.scaled(to: target, work)
    }

    @Test(
        arguments: [
            (7, 5, 3, 2), (100, 80, 99, 79), (64, 64, 1, 1), (1000, 3, 10, 1), (3, 1000, 1, 10), (50, 50, 50, 20), (33, 17, 16, 8),
        ], [1, 3])
    func `every pixel is the mean of the area it covers`(sizes: (Int, Int, Int, Int), channels: Int) throws {
        let (width, height, toWidth, toHeight) = sizes
        func pixel(_ x: Int, _ y: Int, _ channel: Int) -> UInt8 { UInt8((x * 37 + y * 91 + channel * 50 + x * y) & 255) }
        let result = try scaled(width, height, to: PixelSize(width: toWidth, height: toHeight), channels: channels, pixel)
        for y in 0..<toHeight {
            for x in 0..<toWidth {
                for channel in 0..<channels {
                    let top = Double(y * height) / Double(toHeight)
                    let bottom = Double((y + 1) * height) / Double(toHeight)
                    let left = Double(x * width) / Double(toWidth)
                    let right = Double((x + 1) * width) / Double(toWidth)
                    var sum = 0.0
                    for sy in Int(top)..<min(height, Int(bottom.rounded(.up))) {
                        for sx in Int(left)..<min(width, Int(right.rounded(.up))) {
                            let covered =
                                (min(bottom, Double(sy + 1)) - max(top, Double(sy))) * (min(right, Double(sx + 1)) - max(left, Double(sx)))
                            sum += max(covered, 0) * Double(pixel(sx, sy, channel))
                        }
                    }
                    let mean = sum / ((bottom - top) * (right - left))
                    #expect(abs(unsafe Double(result.row(y)[x * channels + channel]) - mean) <= 1.5)
                }
            }
        }
    }

    @Test(arguments: [0, 1, 127, 254, 255] as [UInt8])
    func `one colour stays that colour`(value: UInt8) throws {
        for (width, height) in [(1000, 700), (997, 701), (16_384, 3)] {
            let size = PixelSize(width: width, height: height).fitting(333)
            let result = try scaled(width, height, to: size, channels: 3) { _, _, _ in value }
            for y in 0..<size.height {
                for x in 0..<(size.width * 3) where unsafe result.row(y)[x] != value {
                    Issue.record("\(unsafe result.row(y)[x]) for \(value)")
                }
            }
        }
    }
}

@Suite struct EXIFOrientationTests {
    private func note(_ order: String, type: UInt8, value: [UInt8], count: UInt8 = 1) -> [UInt8] {
        let isLittle = order == "II"
        func number(_ value: Int, _ bytes: Int) -> [UInt8] {
            let little = (0..<bytes).map { UInt8(value >> (8 * $0) & 255) }
            return isLittle ? little : little.reversed()
        }
        return Array(order.utf8) + number(42, 2) + number(8, 4) + number(1, 2) + number(0x0112, 2) + number(Int(type), 2)
            + number(Int(count), 4)
            + value + number(0, 4)
    }

    @Test(arguments: 1...8)
    func `every value is read in both byte orders and all whole-number types`(value: Int) {
        let byte = UInt8(value)
        for type in [3, 8] as [UInt8] {
            #expect(EXIFOrientation.read(note("II", type: type, value: [byte, 0, 0, 0])[...]) == value)
            #expect(EXIFOrientation.read(note("MM", type: type, value: [0, byte, 0, 0])[...]) == value)
        }
        for type in [4, 9] as [UInt8] {
            #expect(EXIFOrientation.read(note("II", type: type, value: [byte, 0, 0, 0])[...]) == value)
            #expect(EXIFOrientation.read(note("MM", type: type, value: [0, 0, 0, byte])[...]) == value)
        }
        #expect(EXIFOrientation.read((Array("Exif\0\0".utf8) + note("II", type: 3, value: [byte, 0, 0, 0]))[...]) == value)
    }

    @Test func `nonsense counts as upright`() {
        #expect(EXIFOrientation.read([]) == 1)
        #expect(EXIFOrientation.read(note("II", type: 3, value: [0, 0, 0, 0])[...]) == 1)
        #expect(EXIFOrientation.read(note("II", type: 3, value: [9, 0, 0, 0])[...]) == 1)
        #expect(EXIFOrientation.read(note("II", type: 5, value: [6, 0, 0, 0])[...]) == 1)
        #expect(EXIFOrientation.read(note("II", type: 3, value: [6, 0, 0, 0], count: 2)[...]) == 1)
        #expect(EXIFOrientation.read(note("XX", type: 3, value: [6, 0, 0, 0])[...]) == 1)
        let whole = note("MM", type: 3, value: [0, 6, 0, 0])
        for length in 0..<(whole.count - 6) { #expect(EXIFOrientation.read(whole.prefix(length)) == 1) }
        #expect(EXIFOrientation.read([0x49, 0x49, 42, 0, 0xFF, 0xFF, 0xFF, 0xFF]) == 1)
    }
}
