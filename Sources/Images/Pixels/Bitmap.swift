internal import CCodecs

/// A whole picture in memory, packed rows of one or three channels; made once and encoded as often as needed.
@safe final class Bitmap {
    let size: PixelSize
    let channels: Int
    let colour: cc_colour
    private let storage: UnsafeMutableBufferPointer<UInt8>

    var rowBytes: Int { size.width * channels }

    /// - Throws: `ImageError.tooMuchMemory`.
    init(_ size: PixelSize, channels: Int, colour: cc_colour, limits: DecodeLimits) throws(ImageError) {
        let (bytes, overflow) = size.pixels.multipliedReportingOverflow(by: channels)
        if overflow || bytes > limits.memory { throw .tooMuchMemory(limit: limits.memory) }
        self.size = size
        self.channels = channels
        self.colour = colour
        unsafe storage = .allocate(capacity: bytes)
    }

    deinit {
        unsafe storage.deallocate()
    }

    /// Where a row begins.
    func row(_ index: Int) -> UnsafeMutablePointer<UInt8> {
        precondition(index >= 0 && index < size.height)
        // An empty bitmap cannot be made: every size here is at least one pixel.
        return unsafe storage.baseAddress! + index * rowBytes
    }

    /// A copy scaled down to a size.
    func scaled(to target: PixelSize, _ work: WorkGuard) throws(ImageError) -> Bitmap {
        let result = try Bitmap(target, channels: channels, colour: colour, limits: work.limits)
        let scaler = try Scaler(from: size, channels: channels, to: target, limits: work.limits)
        var next = 0
        for index in 0..<size.height {
            if index % 16 == 0 { try work.check() }
            let out = unsafe result.row(min(next, target.height - 1))
            if unsafe scaler.push(row(index), into: out) { next += 1 }
        }
        return result
    }
}

/// The area scaler. Owns the C side's object.
@safe struct Scaler: ~Copyable {
    private let scaler: OpaquePointer

    init(from size: PixelSize, channels: Int, to target: PixelSize, limits: DecodeLimits) throws(ImageError) {
        let opened = unsafe cc_scaler_open(
            Int32(size.width), Int32(size.height), Int32(channels), Int32(target.width), Int32(target.height))
        guard let opened = unsafe opened else { throw .tooMuchMemory(limit: limits.memory) }
        unsafe scaler = opened
    }

    deinit {
        unsafe cc_scaler_close(scaler)
    }

    /// Takes the next row; true if that completed an output row.
    func push(_ row: UnsafePointer<UInt8>, into out: UnsafeMutablePointer<UInt8>) -> Bool {
        unsafe cc_scaler_push(scaler, row, out) == 1
    }
}
