// Normalises one picture and prints what it cost, so that a script can compare it with bare library calls.
//
//   image-bench FILE [--out FILE] [--edge N] [--max-base64 N] [--runs N] [--wire]
//
//   image-bench --batch FOLDER < LIST
//
// --batch normalises every file named on a line of standard input at quality 100, writes FOLDER/N.jpg for line N, and prints one line
// per file: the report's actions, or the error.
// --wire measures base64 text in → normalised → base64 text out, the way a request sees it.
import Foundation
import Images

struct Arguments {
    var input = ""
    var output: String?
    var target = ImageTarget()
    var runs = 1
    var wire = false
    var batch: String?

    init(_ words: [String]) {
        var words = words.makeIterator()
        while let word = words.next() {
            switch word {
            case "--out": output = words.next()
            case "--edge": target.maxEdge = words.next().flatMap(Int.init)
            case "--max-base64": target.maxBase64Bytes = words.next().flatMap(Int.init)
            case "--runs": runs = words.next().flatMap(Int.init) ?? 1
            case "--wire": wire = true
            case "--batch": batch = words.next()
            default: input = word
            }
        }
    }
}

func cpuMilliseconds() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    func milliseconds(_ time: timeval) -> Double { Double(time.tv_sec) * 1000 + Double(time.tv_usec) / 1000 }
    return milliseconds(usage.ru_utime) + milliseconds(usage.ru_stime)
}

/// Peak resident memory in kilobytes. Read from /proc, because what getrusage says is inherited from the parent process.
func peakKilobytes() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line.flatMap { Int($0.filter(\.isNumber)) } ?? 0
}

func runBatch(into folder: String) throws {
    var number = 0
    while let name = readLine() {
        defer { number += 1 }
        let before = cpuMilliseconds()
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: name)))
        var outcome: String
        do throws(ImageError) {
            let result = try ImageNormalizer().normalize(bytes, to: ImageTarget(quality: 100))
            try? Data(result.jpeg).write(to: URL(fileURLWithPath: "\(folder)/\(number).jpg"))
            outcome = "ok\t\(result.report.actions.map(\.name).joined(separator: ","))"
        } catch {
            outcome = "error\t\(error.publicDetail)"
        }
        print("\(number)\t\(Int(cpuMilliseconds() - before))\t\(outcome)\t\(name)")
    }
}

let arguments = Arguments(Array(CommandLine.arguments.dropFirst()))
if let folder = arguments.batch {
    try runBatch(into: folder)
    exit(0)
}
let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: arguments.input)))
let text = arguments.wire ? Base64.encode(bytes) : []
let normalizer = ImageNormalizer()
// Sets the peak back to what is resident now; refused where the kernel does not know it, which makes the figure too small, not too large.
try? "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8)
let idle = peakKilobytes()
var times: [Double] = []
var result: NormalizedImage?
for _ in 0..<arguments.runs {
    let before = cpuMilliseconds()
    if arguments.wire {
        let decoded = Base64.decodeLenient(text[...]) ?? []
        let image = try normalizer.normalize(decoded, to: arguments.target)
        let sent = Base64.encode(image.jpeg)
        precondition(sent.count == image.report.base64Bytes)
        result = image
    } else {
        result = try normalizer.normalize(bytes, to: arguments.target)
    }
    times.append(cpuMilliseconds() - before)
}
times.sort()
if let result {
    if let output = arguments.output { try Data(result.jpeg).write(to: URL(fileURLWithPath: output)) }
    let report = result.report
    print(
        "cpu_ms=\(times[times.count / 2]) peak_over_idle_kb=\(peakKilobytes() - idle) width=\(report.width) height=\(report.height)",
        "bytes=\(report.bytes) quality=\(report.quality ?? 0) sampling=\(report.chromaSubsampling.rawValue)",
        "actions=\(report.actions.map(\.name).joined(separator: ","))")
}
