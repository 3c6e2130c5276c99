import Images

struct Arguments {
    enum Job {
        case normalize, wire, decode
        case batch(folder: String)
    }

    var input = ""
    var output: String?
    var target = ImageTarget()
    var runs = 1
    var job = Job.normalize

    init(_ words: [String]) {
        var words = words.makeIterator()
        while let word = words.next() {
            switch word {
            case "--out": output = words.next()
            case "--edge": target.maxEdge = words.next().flatMap { Int($0) }
            case "--max-base64": target.maxBase64Bytes = words.next().flatMap { Int($0) }
            case "--runs": runs = words.next().flatMap { Int($0) } ?? 1
            case "--wire": job = .wire
            case "--decode": job = .decode
            case "--batch": job = .batch(folder: words.next() ?? ".")
            default: input = word
            }
        }
    }
}
