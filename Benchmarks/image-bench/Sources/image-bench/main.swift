// Normalises one picture and prints what it cost, so that a script can compare it with bare library calls.
//
//   image-bench FILE [--out FILE] [--edge N] [--max-base64 N] [--runs N] [--wire | --decode]
//
//   image-bench --batch FOLDER < LIST
//
// --wire measures base64 text in → normalised → base64 text out, the way a request sees it; --decode the first of these steps alone.
// --batch normalises every file named on a line of standard input at quality 100, writes FOLDER/N.jpg for line N, and prints one line
// per file: the report's actions, or the error.
import Images

func runBatch(into folder: String) throws {
    var number = 0
    while let name = readLine() {
        defer { number += 1 }
        let before = cpuMilliseconds()
        let bytes = try readFile(name)
        var outcome: String
        do throws(ImageError) {
            let result = try ImageNormalizer().normalize(bytes, to: ImageTarget(quality: 100))
            try? writeFile(result.jpeg, "\(folder)/\(number).jpg")
            outcome = "ok\t\(result.report.actions.map(\.name).joined(separator: ","))"
        } catch {
            outcome = "error\t\(error.publicDetail)"
        }
        print("\(number)\t\(Int(cpuMilliseconds() - before))\t\(outcome)\t\(name)")
    }
}

func measure(_ arguments: Arguments) throws {
    let bytes = try readFile(arguments.input)
    let text: [UInt8]
    switch arguments.job {
    case .wire, .decode: text = Base64.encode(bytes)
    case .normalize, .batch: text = []
    }
    let normalizer = ImageNormalizer()
    resetPeak()
    let idle = peakKilobytes()
    var times: [Double] = []
    var result: NormalizedImage?
    for _ in 0..<arguments.runs {
        let before = cpuMilliseconds()
        switch arguments.job {
        case .decode:
            precondition(Base64.decodeLenient(text[...])?.bytes.count == bytes.count)
        case .wire:
            if let stripped = normalizer.strip(text: text[...], for: arguments.target) {
                precondition(stripped.base64(from: text[...]).count == stripped.report.base64Bytes)
            } else {
                guard let decoded = Base64.decodeLenient(text[...]) else { preconditionFailure("what was encoded decodes") }
                let image = try normalizer.normalize(decoded.bytes, to: arguments.target)
                precondition(Base64.encode(image.jpeg).count == image.report.base64Bytes)
            }
        case .normalize, .batch:
            result = try normalizer.normalize(bytes, to: arguments.target)
        }
        times.append(cpuMilliseconds() - before)
    }
    times.sort()
    print("cpu_ms=\(times[times.count / 2])", terminator: "")
    if let result {
        if let output = arguments.output { try writeFile(result.jpeg, output) }
        let report = result.report
        print(
            " peak_over_idle_kb=\(peakKilobytes() - idle) width=\(report.width) height=\(report.height)",
            "bytes=\(report.bytes) quality=\(report.quality ?? 0) sampling=\(report.chromaSubsampling.rawValue)",
            "actions=\(report.actions.map(\.name).joined(separator: ","))", terminator: "")
    }
    print()
}

let arguments = Arguments(Array(CommandLine.arguments.dropFirst()))
if case .batch(let folder) = arguments.job {
    try runBatch(into: folder)
} else {
    try measure(arguments)
}
