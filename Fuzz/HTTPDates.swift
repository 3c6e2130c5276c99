// fuzz-sources: Sources/Fetch/Headers/HTTPDate.swift Sources/Fetch/Headers/ASCIICase.swift
// fuzz-seeds: fixtures/fuzz/http-date
// fuzz-options: -max_len=64

/// Any text is a second since 1970 or no date, and a date reads the same in whatever case and spacing its words stand.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let text = unsafe String(decoding: UnsafeBufferPointer(start: data, count: size), as: UTF8.self)
    guard let seconds = HTTPDate.parse(text) else { return 0 }
    // From 1970 to the leap second at the end of 9999.
    precondition((0...253_402_300_800).contains(seconds))
    precondition(HTTPDate.parse(text.replacing(" ", with: " \t ")) == seconds)
    precondition(HTTPDate.parse(canonical(seconds)) == seconds)
    return 0
}

/// The date as RFC 9110 wants it written, reckoned day by day.
private func canonical(_ seconds: Int) -> String {
    var days = seconds / 86_400
    var year = 1970
    func length(_ year: Int) -> Int { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 366 : 365 }
    while days >= length(year) {
        days -= length(year)
        year += 1
    }
    // A leap second on the last evening of 9999 has no name of its own.
    if year > 9999 { return "Fri, 31 Dec 9999 23:59:60 GMT" }
    let lengths = [31, length(year) - 337, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    var month = 0
    while days >= lengths[month] {
        days -= lengths[month]
        month += 1
    }
    let name = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][month]
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let time = [seconds / 3600 % 24, seconds / 60 % 60, seconds % 60].map(two).joined(separator: ":")
    return "Day, \(two(days + 1)) \(name) \(year) \(time) GMT"
}
