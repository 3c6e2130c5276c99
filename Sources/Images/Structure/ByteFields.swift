/// Numbers out of a picture's bytes; nil where the bytes end.
extension RandomAccessCollection<UInt8> where Index == Int {
    func byte(at offset: Int) -> Int? {
        offset >= startIndex && offset < endIndex ? Int(self[offset]) : nil
    }

    func bigEndian16(at offset: Int) -> Int? {
        guard let high = byte(at: offset), let low = byte(at: offset + 1) else { return nil }
        return high << 8 | low
    }

    func littleEndian16(at offset: Int) -> Int? {
        guard let low = byte(at: offset), let high = byte(at: offset + 1) else { return nil }
        return high << 8 | low
    }

    func littleEndian24(at offset: Int) -> Int? {
        guard let low = littleEndian16(at: offset), let high = byte(at: offset + 2) else { return nil }
        return high << 16 | low
    }

    func bigEndian32(at offset: Int) -> Int? {
        guard let high = bigEndian16(at: offset), let low = bigEndian16(at: offset + 2) else { return nil }
        return high << 16 | low
    }

    func littleEndian32(at offset: Int) -> Int? {
        guard let low = littleEndian16(at: offset), let high = littleEndian16(at: offset + 2) else { return nil }
        return high << 16 | low
    }

    /// Whether these very characters stand at an offset.
    func spells(_ text: StaticString, at offset: Int) -> Bool {
        guard offset >= startIndex, text.utf8CodeUnitCount <= endIndex - offset else { return false }
        return text.withUTF8Buffer { unsafe self[offset..<(offset + $0.count)].elementsEqual($0) }
    }
}
